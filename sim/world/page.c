/* world/page.c: what well-known images serve without anything of one's own.
 *
 * nginx: the index.html and error page of nginx 1.27. httpd: that of Apache 2.4. The
 * images of tutorials that say which pod answered: luksa/kubia, ikubernetes/myapp. All
 * others serve the pod's namespace and name.
 */
#include <stdio.h>
#include <string.h>

#include "world/files.h"
#include "world/internal.h"

static const char nginx_page[] =
	"<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n<style>\n"
	"html { color-scheme: light dark; }\nbody { width: 35em; margin: 0 auto;\n"
	"font-family: Tahoma, Verdana, Arial, sans-serif; }\n</style>\n</head>\n<body>\n"
	"<h1>Welcome to nginx!</h1>\n"
	"<p>If you see this page, the nginx web server is successfully installed and\n"
	"working. Further configuration is required.</p>\n\n"
	"<p>For online documentation and support please refer to\n"
	"<a href=\"http://nginx.org/\">nginx.org</a>.<br/>\n"
	"Commercial support is available at\n"
	"<a href=\"http://nginx.com/\">nginx.com</a>.</p>\n\n"
	"<p><em>Thank you for using nginx.</em></p>\n</body>\n</html>\n";

static const char nginx_missing[] =
	"<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n"
	"<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx/1.27.5</center>\r\n"
	"</body>\r\n</html>\r\n";

static const char httpd_missing[] =
	"<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n"
	"<title>404 Not Found</title>\n</head><body>\n<h1>Not Found</h1>\n"
	"<p>The requested URL was not found on this server.</p>\n</body></html>\n";

/* "registry/library/nginx:1.25@sha256" is of the repository "nginx". */
static bool repository_is(const char *image, const char *name)
{
	size_t n = strlen(name);
	const char *slash = strrchr(image, '/');
	if (!strchr(name, '/') && slash)
		image = slash + 1;
	else if (slash) {
		while (slash > image && slash[-1] != '/')
			slash--;
		image = slash;
	}
	return strncmp(image, name, n) == 0 && (!image[n] || image[n] == ':' || image[n] == '@');
}

static const char *tag_of(const char *image)
{
	const char *slash = strrchr(image, '/'), *colon = strrchr(slash ? slash : image, ':');
	return colon ? colon + 1 : "latest";
}

static bool is_index(const char *path)
{
	return strcmp(path, "/") == 0 || strcmp(path, "/index.html") == 0;
}

static int file_or_missing(const char *path, const char *page, const char *missing,
			   struct strbuf *body)
{
	strbuf_puts(body, is_index(path) ? page : missing);
	return is_index(path) ? 200 : 404;
}

/* Tags "v2" answer in their own words, as the book's later images do. */
static int kubia(const char *image, const char *pod, struct strbuf *body)
{
	const char *tag = tag_of(image);
	if (tag[0] == 'v' && tag[1] >= '0' && tag[1] <= '9')
		strbuf_printf(body, "This is %s running in pod %s\n", tag, pod);
	else
		strbuf_printf(body, "You've hit %s\n", pod);
	return 200;
}

static int myapp(const char *image, const char *pod, const char *path, struct strbuf *body)
{
	if (strcmp(path, "/hostname.html") == 0) {
		strbuf_printf(body, "%s\n", pod);
		return 200;
	}
	if (!is_index(path)) {
		strbuf_puts(body, nginx_missing);
		return 404;
	}
	strbuf_printf(body, "Hello MyApp | Version: %s | <a href=\"hostname.html\">Pod Name</a>\n",
		      tag_of(image));
	return 200;
}

const char *files_root(const char *image)
{
	if (repository_is(image, "httpd"))
		return "/usr/local/apache2/htdocs";
	if (repository_is(image, "nginx") || repository_is(image, "ikubernetes/myapp"))
		return "/usr/share/nginx/html";
	return "/var/www/html";
}

int page_of_image(const char *image, const char *pod, const char *label, const char *path,
		  struct strbuf *body)
{
	if (repository_is(image, "nginx"))
		return file_or_missing(path, nginx_page, nginx_missing, body);
	if (repository_is(image, "httpd"))
		return file_or_missing(path, "<html><body><h1>It works!</h1></body></html>\n",
				       httpd_missing, body);
	if (repository_is(image, "luksa/kubia"))
		return kubia(image, pod, body);
	if (repository_is(image, "ikubernetes/myapp"))
		return myapp(image, pod, path, body);
	strbuf_printf(body, "%s\n", label);
	return 200;
}
