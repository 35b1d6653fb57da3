#!/usr/bin/perl
# The house keeps its shape: dependencies run one way, heavy libraries stay behind one
# door each, files and functions stay short enough to read.
use strict;
use warnings;
use File::Find;
use Test::More tests => 6;

my @files;
find({ no_chdir => 1, wanted => sub { push @files, $_ if /\.[ch]$/ } },
	grep { -d } qw(sim dataplanes lua cli tests));
@files = sort @files;

# Which rooms a room may enter (itself always).
my %may = (
	'core' => [],
	'net' => ['core'],
	'linux' => ['net', 'core'],
	'kube' => ['net', 'core'],
	'dns' => ['kube', 'net', 'core'],
	'report' => ['net', 'core'],
	'apps' => ['dns', 'kube', 'linux', 'net', 'core'],
	'interface' => ['net', 'core', 'kube'],
	'world' => ['interface', 'report', 'apps', 'dns', 'kube', 'linux', 'net', 'core'],
	'dataplanes' => ['interface', 'report', 'apps', 'dns', 'kube', 'linux', 'net', 'core', 'world'],
	'lua' => ['dataplanes', 'interface', 'world', 'report', 'apps', 'dns', 'kube', 'linux', 'net', 'core'],
	'cli' => ['lua', 'dataplanes', 'interface', 'world', 'report', 'apps', 'dns', 'kube', 'linux', 'net', 'core'],
);

sub room {
	my ($path) = @_;
	return 'interface' if $path =~ m{^(?:sim/)?dataplane\.[ch]$};
	return $1 if $path =~ m{^sim/([a-z]+)/};
	return $1 if $path =~ m{^(dataplanes|lua|cli)/};
	return $1 if $path =~ m{^(core|net|linux|kube|dns|report|apps|world)/};
	return undef;
}

my (@wrong, @doors);
my %door = (
	'libnet.h' => qr{^sim/net/craft[a-z_]*\.c$|^dataplanes/kernel/},
	'ldns/ldns.h' => qr{^sim/dns/wire[a-z_]*\.c$},
	'lua.h' => qr{^lua/}, 'lauxlib.h' => qr{^lua/}, 'lualib.h' => qr{^lua/},
	'histedit.h' => qr{^cli/}, 'argp.h' => qr{^cli/},
);
for my $file (grep { !/^tests/ } @files) {
	my $from = room($file) // next;
	open my $in, '<', $file or die "$file: $!";
	while (<$in>) {
		next unless /^\s*#\s*include\s*[<"]([^>"]+)[>"]/;
		my $included = $1;
		push @doors, "$file:$.: $included" if $door{$included} && $file !~ $door{$included};
		my $to = room($included) // next;
		next if $to eq $from || grep { $_ eq $to } @{ $may{$from} };
		push @wrong, "$file:$.: $from includes $included";
	}
}
ok(!@wrong, 'dependencies run one way') or diag(join "\n", @wrong);
ok(!@doors, 'each heavy library is included by its own files only') or diag(join "\n", @doors);

my (@long_files, @long_functions);
for my $file (@files) {
	open my $in, '<', $file or die "$file: $!";
	my ($start, $lines) = (0, 0);
	while (<$in>) {
		$lines = $.;
		$start = $. if /^\{/;
		push @long_functions, "$file:$start: " . ($. - $start) . " lines"
			if /^\}/ && $start && $. - $start > 75;
		$start = 0 if /^\}/;
	}
	push @long_files, "$file: $lines lines" if $lines > 650;
}
ok(!@long_files, 'no file is over 650 lines') or diag(join "\n", @long_files);
ok(!@long_functions, 'no function is over 75 lines') or diag(join "\n", @long_functions);

my @names = qw(parse.c print.c eval.c compile.c);
my @missing = map { my $d = $_; map { -e "$d/$_" ? () : "$d/$_" } @names }
	qw(sim/linux/xtables sim/linux/nft sim/linux/ipvs);
push @missing, map { my $d = $_; map { -e "$d/$_" ? () : "$d/$_" } qw(plan.c text.c) }
	map { "dataplanes/$_" } qw(userspace iptables ipvs nftables);
ok(!@missing, 'folders of one kind have the same file names') or diag("missing: @missing");

# One archive holds all modules: two functions of one name would hide each other.
SKIP: {
	my $archive = ($ENV{BUILD} // 'build') . '/libsvclab.a';
	skip 'the library is not built', 1 unless -e $archive;
	my %seen;
	for (`nm -g --defined-only $archive 2>/dev/null`) {
		$seen{$1}++ if /^[0-9a-f]+ [A-Z] (\S+)/;
	}
	my @twice = grep { $seen{$_} > 1 } sort keys %seen;
	ok(!@twice, 'no two modules define the same name') or diag("twice: @twice");
}
