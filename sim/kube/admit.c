/* kube/admit.c: see admit.h. */
#include "kube/admit.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kube/admit_service.h"
#include "kube/answer.h"
#include "kube/copy.h"
#include "kube/schema.h"
#include "kube/warnings.h"

struct kube_admit {
	struct kube_store *store;
	struct choice *choice;
	struct kube_allocator *allocator;
};

struct kube_admit *kube_admit_new(struct kube_store *s, const struct kube_admit_options *options)
{
	static const struct kube_admit_options none;
	static const char *const system[] = { "default", "kube-node-lease", "kube-public",
					      "kube-system" };
	struct kube_admit *a = mem_alloc(sizeof *a);
	if (!options)
		options = &none;
	a->store = s;
	a->choice = options->choice;
	a->allocator = kube_allocator_new(s, a->choice, options->service_cidrs,
					  options->node_port_first, options->node_port_last);
	for (size_t i = 0; i < sizeof system / sizeof *system; i++) {
		if (kube_store_get(s, KIND_NAMESPACE, NULL, system[i]))
			continue;
		struct kube_object *o = kube_new(KIND_NAMESPACE);
		o->meta.name = kube_string(o, system[i]);
		kube_schema(KIND_NAMESPACE)->set_defaults(o);
		int code = kube_store_create(s, o, NULL);
		assert(code == 0);
	}
	return a;
}

void kube_admit_free(struct kube_admit *a)
{
	if (!a)
		return;
	kube_allocator_free(a->allocator);
	free(a);
}

/* ---- a verb's frame ----------------------------------------------------------------- */

/* What a verb works on. `own` stands in when the caller wants no answer. */
struct verb {
	struct kube_admit *admit;
	struct kube_object *object;
	const struct kube_object *old;
	struct kube_answer *answer, own;
};

static void verb_begin(struct verb *v, struct kube_admit *a, struct kube_object *o,
		       struct kube_answer *answer)
{
	*v = (struct verb){ .admit = a, .object = o };
	v->answer = answer ? answer : &v->own;
	answer_about(v->answer, o->kind, o->meta.name);
}

/* Ends a verb that wrote nothing. */
static int verb_refuse(struct verb *v, int code)
{
	kube_allocator_settle(v->admit->allocator);
	kube_unref(v->object);
	kube_answer_free(&v->own);
	return code;
}

static int verb_done(struct verb *v, int code)
{
	kube_allocator_settle(v->admit->allocator);
	kube_answer_free(&v->own);
	return code;
}

/* "<before>services "x"<after>" */
static int refuse_resource(struct kube_answer *answer, const struct kube_object *o,
			   const char *reason, const char *before, const char *after)
{
	struct strbuf resource = { 0 };
	answer_resource(o->kind, &resource);
	int code = answer_refuse(answer, reason, "%s%s \"%s\"%s", before, strbuf_text(&resource),
				 o->meta.name ? o->meta.name : "", after);
	strbuf_free(&resource);
	return code;
}

/* Validation of everything, after allocation. Non-zero: refused. */
static int check(struct verb *v)
{
	const struct kind_schema *s = kube_schema(v->object->kind);
	struct strbuf errors = { 0 }, internal = { 0 };
	int code = 0;
	if (v->object->kind == KIND_SERVICE)
		admit_service(v->admit->allocator, (struct kube_service *)v->object,
			      (const struct kube_service *)v->old, &errors, &internal);
	if (internal.length)
		code = answer_refuse(v->answer, "InternalError", "Internal error occurred: %s",
				     internal.data);
	else if (!errors.length && s->validate)
		s->validate(v->object, v->old, &errors);
	if (errors.length)
		code = answer_invalid(v->answer, v->object->kind, &errors);
	strbuf_free(&errors);
	strbuf_free(&internal);
	return code;
}

/* ---- create ---------------------------------------------------------------------------- */

#define NAME_LETTERS "bcdfghjklmnpqrstvwxz2456789"
#define NAME_BASE_MOST 58
#define NAME_TRIES 8

void kube_admit_generate_name(struct kube_store *s, struct choice *choice,
			      struct kube_object *o)
{
	if ((o->meta.name && *o->meta.name) || !o->meta.generate_name)
		return;
	for (int i = 0; i < NAME_TRIES; i++) {
		char suffix[6] = "";
		for (int j = 0; j < 5; j++)
			suffix[j] = NAME_LETTERS[choice ? choice_uniform(choice, "name", 27) : 0];
		o->meta.name = arena_printf(o->arena, "%.*s%s", NAME_BASE_MOST,
					    o->meta.generate_name, suffix);
		if (!kube_store_get(s, o->kind, o->meta.namespace, o->meta.name))
			return;
	}
}

static int check_namespace(struct verb *v)
{
	const struct kube_object *o = v->object;
	if (!kube_schema(o->kind)->namespaced || !o->meta.namespace)
		return 0;
	const struct kube_object *n =
		kube_store_get(v->admit->store, KIND_NAMESPACE, NULL, o->meta.namespace);
	if (!n)
		return answer_refuse(v->answer, "NotFound", "namespaces \"%s\" not found",
				     o->meta.namespace);
	if (!n->meta.deletion_ns && !kube_is(((const struct kube_namespace *)n)->status.phase,
					     "Terminating"))
		return 0;
	struct strbuf why = { 0 };
	strbuf_printf(&why,
		      " is forbidden: unable to create new content in namespace %s because it "
		      "is being terminated",
		      o->meta.namespace);
	int code = refuse_resource(v->answer, o, "Forbidden", "", strbuf_text(&why));
	strbuf_free(&why);
	return code;
}

/* What a user writes into the status of a new object is dropped; a kubelet registers its
 * Node with one. */
static void drop_status(struct kube_object *o)
{
	const struct field *row = kube_status_row(kube_schema(o->kind));
	if (row && row->sub && o->kind != KIND_NODE)
		kube_clear_fields(row->sub, (char *)o + row->offset);
}

static void drop_system_metadata(struct kube_object *o)
{
	o->meta.uid = NULL;
	o->meta.creation_ns = o->meta.deletion_ns = 0;
	o->meta.deletion_grace_s = (struct opt_int){ 0 };
	o->meta.resource_version = 0;
	o->meta.generation = 0;
}

/* Admission plugin DefaultIngressClass: the class that says it is the default; of several
 * the newest. */
static void default_ingress_class(const struct kube_store *s, struct kube_ingress *g)
{
	const struct kube_object *o, *found = NULL;
	uint32_t cursor = 0;
	if (g->class_name || kube_map_get(&g->object.meta.annotations, "kubernetes.io/ingress.class"))
		return;
	while ((o = kube_store_next(s, KIND_INGRESS_CLASS, NULL, &cursor)) != NULL)
		if (kube_is(kube_map_get(&o->meta.annotations,
					 "ingressclass.kubernetes.io/is-default-class"), "true") &&
		    (!found || o->meta.creation_ns > found->meta.creation_ns))
			found = o;
	if (found)
		g->class_name = kube_string(&g->object, found->meta.name);
}

int kube_admit_create(struct kube_admit *a, struct kube_object *o, struct kube_answer *answer)
{
	const struct kind_schema *s = kube_schema(o->kind);
	struct verb v;
	struct err err;
	verb_begin(&v, a, o, answer);
	if (!s->namespaced)
		o->meta.namespace = NULL;
	drop_system_metadata(o);
	drop_status(o);
	if (s->set_defaults)
		s->set_defaults(o);
	if (o->kind == KIND_POD)
		kube_admit_pod(o);
	if (o->kind == KIND_INGRESS)
		default_ingress_class(a->store, (struct kube_ingress *)o);
	kube_admit_generate_name(a->store, a->choice, o);
	strbuf_clear(&v.answer->name);
	strbuf_puts(&v.answer->name, o->meta.name ? o->meta.name : "");
	int code = check_namespace(&v);
	if (!code && o->meta.name &&
	    kube_store_get(a->store, o->kind, o->meta.namespace, o->meta.name))
		code = refuse_resource(v.answer, o, "AlreadyExists", "", " already exists");
	if (!code)
		code = check(&v);
	if (code)
		return verb_refuse(&v, code);
	kube_warnings(o, NULL, &v.answer->warnings);
	code = kube_store_create(a->store, o, &err);
	assert(code == 0);
	return verb_done(&v, 0);
}

/* ---- update ------------------------------------------------------------------------------ */

static int find_old(struct verb *v)
{
	const struct kube_object *o = v->object;
	v->old = kube_store_get(v->admit->store, o->kind, o->meta.namespace, o->meta.name);
	if (!v->old)
		return refuse_resource(v->answer, o, "NotFound", "", " not found");
	if (o->meta.resource_version && o->meta.resource_version != v->old->meta.resource_version)
		return refuse_resource(
		    v->answer, o, "Conflict", "Operation cannot be fulfilled on ",
		    ": the object has been modified; please apply your changes to the "
		    "latest version and try again");
	return 0;
}

/* What only the server writes. */
static void keep_system_metadata(struct kube_object *o, const struct kube_object *old)
{
	o->meta.uid = kube_string(o, old->meta.uid);
	o->meta.creation_ns = old->meta.creation_ns;
	o->meta.deletion_ns = old->meta.deletion_ns;
	o->meta.deletion_grace_s = old->meta.deletion_grace_s;
	o->meta.resource_version = old->meta.resource_version;
	o->meta.generation = old->meta.generation;
	o->meta.generate_name = kube_string(o, old->meta.generate_name);
}

/* A marked object goes when its last finalizer does. A pod also waits for its kubelet,
 * a namespace for its controller: they delete it themselves. */
static bool is_done_for(const struct kube_object *o, const struct kube_object *old)
{
	return o->meta.deletion_ns && !o->meta.finalizers.count && old->meta.finalizers.count &&
	       o->kind != KIND_NAMESPACE &&
	       (o->kind != KIND_POD ||
		(o->meta.deletion_grace_s.set && !o->meta.deletion_grace_s.value));
}

static int write(struct verb *v)
{
	struct kube_object *o = v->object;
	struct kube_store *s = v->admit->store;
	const struct kind_schema *schema = kube_schema(o->kind);
	if (kube_fields_equal(schema->fields, o, v->old)) {
		v->answer->unchanged = true;
		kube_unref(o);
		return verb_done(v, 0);
	}
	bool last_finalizer = is_done_for(o, v->old);
	bool spec_changed = !kube_spec_equal(o, v->old);
	kube_ref(o);
	int code = kube_store_update(s, o, spec_changed, NULL);
	if (!code && last_finalizer)
		code = kube_store_delete(s, o->kind, o->meta.namespace, o->meta.name, NULL);
	assert(code == 0);
	kube_unref(o);
	return verb_done(v, 0);
}

int kube_admit_update(struct kube_admit *a, struct kube_object *o, struct kube_answer *answer)
{
	const struct kind_schema *s = kube_schema(o->kind);
	struct verb v;
	verb_begin(&v, a, o, answer);
	int code = find_old(&v);
	if (code)
		return verb_refuse(&v, code);
	keep_system_metadata(o, v.old);
	const struct field *status = kube_status_row(s);
	if (status && status->sub)
		kube_assign_fields(o->arena, status->sub, (char *)o + status->offset,
				   (const char *)v.old + status->offset);
	if (o->kind == KIND_SERVICE)
		admit_service_take_over((struct kube_service *)o,
					(const struct kube_service *)v.old);
	if (s->set_defaults)
		s->set_defaults(o);
	if (o->kind == KIND_POD)
		kube_admit_pod_tolerations(o);
	code = check(&v);
	if (code)
		return verb_refuse(&v, code);
	kube_warnings(o, v.old, &v.answer->warnings);
	return write(&v);
}

int kube_admit_update_status(struct kube_admit *a, struct kube_object *o,
			     struct kube_answer *answer)
{
	const struct kind_schema *s = kube_schema(o->kind);
	struct verb v;
	verb_begin(&v, a, o, answer);
	int code = find_old(&v);
	if (code)
		return verb_refuse(&v, code);
	const struct field *status = kube_status_row(s);
	struct kube_object *merged = kube_copy(v.old);
	if (status && status->sub)
		kube_assign_fields(merged->arena, status->sub, (char *)merged + status->offset,
				   (const char *)o + status->offset);
	kube_unref(o);
	v.object = merged;
	if (s->set_defaults)
		s->set_defaults(merged);
	struct strbuf errors = { 0 };
	if (s->validate)
		s->validate(merged, v.old, &errors);
	code = errors.length ? answer_invalid(v.answer, merged->kind, &errors) : 0;
	strbuf_free(&errors);
	return code ? verb_refuse(&v, code) : write(&v);
}

/* ---- delete -------------------------------------------------------------------------------- */

static void add_finalizer(struct kube_object *o, const char *name)
{
	struct kube_strings *f = &o->meta.finalizers;
	for (uint32_t i = 0; i < f->count; i++)
		if (kube_is(f->items[i], name))
			return;
	const char **items = arena_array(o->arena, f->count + 1, sizeof *items);
	if (f->count)
		memcpy(items, f->items, f->count * sizeof *items);
	items[f->count++] = kube_string(o, name);
	f->items = items;
}

/* Seconds that the object has to end; 0: at once. */
static int64_t grace_of(const struct kube_object *o, const struct kube_delete *how)
{
	const struct kube_pod *p = (const struct kube_pod *)o;
	if (o->kind != KIND_POD)
		return 0;
	if (how && how->grace_s.set)
		return how->grace_s.value < 0 ? 1 : how->grace_s.value;
	if (!p->spec.node_name || !*p->spec.node_name || kube_is(p->status.phase, "Succeeded") ||
	    kube_is(p->status.phase, "Failed"))
		return 0;
	return p->spec.termination_grace_s.set ? p->spec.termination_grace_s.value : 30;
}

/* Sets the time by which the object will be gone. An earlier time stays. */
static void mark(struct kube_store *s, struct kube_object *o, int64_t grace_s)
{
	struct engine *engine = kube_store_engine(s);
	int64_t now = engine ? engine_now(engine) : 0, when = now + grace_s * NS_PER_S;
	if (!o->meta.deletion_ns || when < o->meta.deletion_ns) {
		o->meta.deletion_ns = when ? when : 1; /* 0 would mean: not being deleted */
		o->meta.deletion_grace_s = (struct opt_int){ true, grace_s };
	}
	if (o->kind == KIND_NAMESPACE)
		((struct kube_namespace *)o)->status.phase = "Terminating";
}

int kube_admit_delete(struct kube_admit *a, enum kube_kind kind, const char *namespace,
		      const char *name, const struct kube_delete *how, struct kube_answer *answer)
{
	struct kube_answer own = { 0 }, *said = answer ? answer : &own;
	answer_about(said, kind, name);
	const struct kube_object *o = kube_store_get(a->store, kind, namespace, name);
	int code = 0;
	if (!o) {
		struct strbuf resource = { 0 };
		answer_resource(kind, &resource);
		code = answer_refuse(said, "NotFound", "%s \"%s\" not found",
				     strbuf_text(&resource), name);
		strbuf_free(&resource);
		kube_answer_free(&own);
		return code;
	}
	const char *finalizer = !how					  ? NULL
				: kube_is(how->propagation, "Orphan")	  ? "orphan"
				: kube_is(how->propagation, "Foreground") ? "foregroundDeletion"
									  : NULL;
	int64_t grace_s = grace_of(o, how);
	if (grace_s == 0 && !finalizer && !o->meta.finalizers.count && kind != KIND_NAMESPACE) {
		code = kube_store_delete(a->store, kind, namespace, name, NULL);
	} else if (!o->meta.deletion_ns || (kind == KIND_POD && how && how->grace_s.set)) {
		struct kube_object *copy = kube_copy(o);
		mark(a->store, copy, grace_s);
		if (finalizer)
			add_finalizer(copy, finalizer);
		code = kube_store_update(a->store, copy, false, NULL);
	}
	assert(code == 0);
	kube_answer_free(&own);
	return 0;
}
