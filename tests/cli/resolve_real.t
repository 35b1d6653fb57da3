#!/usr/bin/perl
# svclab resolve against the C libraries of this machine: glibc's and musl's getaddrinfo ask
# svclab dns in a network namespace, under several resolv.conf, and tcpdump keeps what they
# ask. Queries (names, types, order, shared ports, transport) and outcome must be those that
# svclab resolve says.
use strict;
use warnings;
use File::Temp qw(tempdir);
use JSON::PP;

my $root = $0 =~ s{/?tests/cli/[^/]*$}{}r || '.';
chdir $root or die "$root: $!";
my $svclab = $ENV{SVCLAB} || 'build/svclab';
my $data = 'tests/golden/dns/tools';
my $folder = tempdir(CLEANUP => 1);

# Options of resolv.conf, name, libraries that are asked (both where it is left out).
my @cases = (
	['ndots:5', 'kubia'], ['ndots:5', 'example.com'], ['ndots:5', 'ext', 'glibc'],
	['ndots:5', 'extbad'], ['ndots:5', 'nodata'], ['ndots:5', 'v6.test.', 'musl'],
	['ndots:1 timeout:1', 'fail.test'], ['ndots:2', 'kubia.default.svc'],
	['ndots:2', 'kubia.default', 'musl'], ['ndots:1', 'nobody.example.com'],
	['single-request ndots:5', 'example.com'],
	['single-request-reopen ndots:5', 'example.com', 'glibc'],
	['use-vc ndots:5', 'kubia'], ['use-vc ndots:5', 'nobody', 'glibc'],
	['ndots:5 attempts:3', 'fail.test.', 'glibc'], ['no-aaaa ndots:5', 'kubia', 'glibc'],
	['ndots:5', 'tc.test.'],
);

sub text_file
{
	my ($name, $text) = @_;
	open my $out, '>', "$folder/$name" or die "$name: $!";
	print $out $text;
	close $out;
}

text_file('ask.c', <<'END');
/* ask NUMBER NAME: a marker datagram, then getaddrinfo; prints the error or the addresses. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
int main(int argc, char **argv)
{
	char marker[64] = "\0\1\1\0\0\1\0\0\0\0\0\0", text[64];
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(53) };
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	int s = socket(AF_INET, SOCK_DGRAM, 0), length = 13 + (int)strlen(argv[1]);
	inet_pton(AF_INET, "10.96.0.10", &to.sin_addr);
	marker[12] = (char)strlen(argv[1]);
	memcpy(marker + 13, argv[1], strlen(argv[1]));
	memcpy(marker + length, "\4mark\0\0\1\0\1", 10);
	sendto(s, marker, (size_t)length + 10, 0, (struct sockaddr *)&to, sizeof to);
	int code = getaddrinfo(argv[2], NULL, &hints, &list);
	if (code)
		printf("%s\n", gai_strerror(code));
	for (; list; list = list->ai_next) {
		const void *at = list->ai_family == AF_INET ?
			(void *)&((struct sockaddr_in *)list->ai_addr)->sin_addr :
			(void *)&((struct sockaddr_in6 *)list->ai_addr)->sin6_addr;
		printf("%s\n", inet_ntop(list->ai_family, at, text, sizeof text));
	}
	return argc != 3;
}
END

# In a namespace of its own: the server, tcpdump, the cases in turn, each library.
text_file('inside.sh', <<'END');
ip link set lo up && ip addr add 10.96.0.10/32 dev lo || exit 9
"$SVCLAB" dns -f $DATA/cluster.yaml --upstream $DATA/upstream.zone --listen 10.96.0.10:53 \
	2>"$FOLDER/said" &
server=$!
tcpdump -i lo -U --immediate-mode -s 0 -w "$FOLDER/pcap" port 53 2>"$FOLDER/dump" &
dump=$!
trap 'kill $server $dump; wait' EXIT
tries=0
until grep -q 'answering on' "$FOLDER/said" && grep -q 'listening on' "$FOLDER/dump"; do
	sleep 0.05
	tries=$((tries + 1))
	[ $tries -lt 400 ] || exit 8
done
while IFS='|' read -r number libc options name; do
	printf 'search default.svc.cluster.local svc.cluster.local cluster.local\n' >"$FOLDER/conf"
	printf 'nameserver 10.96.0.10\noptions %s\n' "$options" >>"$FOLDER/conf"
	mount --bind "$FOLDER/conf" /etc/resolv.conf || exit 7
	"$FOLDER/$libc" "$number" "$name" >"$FOLDER/outcome.$number"
	umount /etc/resolv.conf
done <"$FOLDER/cases"
"$FOLDER/glibc" end x. >/dev/null
tries=0
until grep -qa 'end.mark' "$FOLDER/pcap" || [ $tries -gt 200 ]; do
	sleep 0.05
	tries=$((tries + 1))
done
END

my (@runs, $reason);
for my $case (@cases) {
	for my $libc ($case->[2] || qw(glibc musl)) {
		push @runs, { number => @runs + 1, libc => $libc, options => $case->[0],
			      name => $case->[1] };
	}
}
text_file('cases', join '', map { "$_->{number}|$_->{libc}|$_->{options}|$_->{name}\n" } @runs);

for my $tool (qw(cc musl-gcc tcpdump tshark unshare ip)) {
	$reason ||= "needs $tool" if system("command -v $tool >/dev/null 2>&1");
}
for my $libc ([cc => 'glibc'], ['musl-gcc' => 'musl']) {
	$reason ||= "$libc->[0] does not compile"
		if !$reason && system("$libc->[0] -o $folder/$libc->[1] $folder/ask.c");
}
@ENV{qw(SVCLAB DATA FOLDER)} = ($svclab, $data, $folder);
# What was asked: per case, lines "[=]NAME TYPE TRANSPORT"; = shares the port before it.
my %asked;
my %types = (1 => 'A', 28 => 'AAAA');
sub ask
{
	my ($case, $last);
	return 0 if system("unshare -n -m sh $folder/inside.sh");
	%asked = ();
	open my $in, '-|', "tshark -r $folder/pcap -Y 'dns.flags.response == 0' -T fields " .
		'-e udp.srcport -e tcp.srcport -e dns.qry.name -e dns.qry.type 2>/dev/null' or die;
	while (<$in>) {
		chomp;
		my ($udp, $tcp, $names, $numbers) = split /\t/;
		my @types = split /,/, $numbers;
		for my $name (split /,/, $names) {
			if ($name =~ /^(\w+)\.mark$/) {
				($case, $last) = ($1, '');
				next;
			}
			my $port = $udp ? "udp $udp" : "tcp $tcp";
			push @{ $asked{$case} }, ($port eq $last ? '=' : '') .
				"$name $types{shift @types} " . substr $port, 0, 3;
			$last = $port;
		}
	}
	return 1;
}
$reason ||= 'needs network and mount namespaces' if !$reason && !ask();

sub real
{
	my ($number) = @_;
	open my $in, '<', "$folder/outcome.$number" or die;
	chomp(my @outcome = sort <$in>);
	return join "\n", @{ $asked{$number} || [] }, @outcome;
}

# The same of svclab resolve. A round that follows for the same name keeps the port.
sub resolved
{
	my ($run) = @_;
	my @options = map { my ($n, $v) = split /:/; "{name: $n" . ($v ? ", value: \"$v\"}" : '}') }
		split / /, $run->{options};
	text_file('asks.yaml', "apiVersion: v1\nkind: Pod\nmetadata: {name: asks}\n" .
		'spec: {dnsConfig: {options: [' . join(', ', @options) . "]}, containers: [{name: c, image: x}]}\n" .
		"status: {podIP: 10.244.1.8, phase: Running}\n");
	my $json = decode_json(scalar `$svclab resolve -f $data/cluster.yaml -f $folder/asks.yaml --upstream $data/upstream.zone --libc $run->{libc} --from pod/asks -o json $run->{name}`);
	my ($before, @lines) = ('');
	for my $q (@{ $json->{queries} }) {
		my $first = 1;
		for my $type (@{ $q->{qtypes} }) {
			my $again = "$q->{qname} $q->{transport}" eq $before && $q->{transport} eq 'udp';
			my $same = $first ? $again : $q->{same_source_port};
			push @lines, ($same ? '=' : '') . "$q->{qname} $type $q->{transport}";
			$first = 0;
		}
		$before = "$q->{qname} $q->{transport}";
	}
	return join "\n", @lines,
		sort $json->{error} ? $json->{error} : @{ $json->{addresses} };
}

my $asked_again;
printf "TAP version 13\n1..%d\n", scalar @runs;
for my $run (@runs) {
	my $title = "$run->{libc}, $run->{options}: $run->{name}";
	if ($reason) {
		print "ok $run->{number} - $title # SKIP $reason\n";
		next;
	}
	my $got = resolved($run);
	my $want = real($run->{number});
	# Time is real there, and on a busy machine a library asks twice: what differs has to
	# differ again.
	$want = real($run->{number}) if $want ne $got && !$asked_again++ && ask();
	printf "%s %d - %s\n", $want eq $got ? 'ok' : 'not ok', $run->{number}, $title;
	next if $want eq $got;
	print map { "# $_\n" } 'real:', split(/\n/, $want), 'svclab resolve:', split /\n/, $got;
}
