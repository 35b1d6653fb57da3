#!/usr/bin/perl
# Every behaviour of tests/golden/behaviours.txt is shown by a scenario, or scenarios/README.md says why it
# cannot be observed; no scenario names one that is not in the list. (Threads that are not in the list may be
# named as sources.)
use strict;
use warnings;
use File::Find;
use Test::More tests => 4;

my (%title, @order);
open my $list, '<', 'tests/golden/behaviours.txt' or die "behaviours.txt: $!";
while (<$list>) {
	next if /^#\s/ || !/\S/;
	/^(\S+) (.+)$/ or die "behaviours.txt:$.: expected an ID and a title\n";
	die "behaviours.txt:$.: $1 is there twice\n" if $title{$1};
	$title{$1} = $2;
	push @order, $1;
}

# The README's section of what cannot be observed: "* ID, ID, reason".
my $id = qr{[A-Z]{3}-\d\d|(?:[\w.-]+/[\w.-]+)?\#\d+};
my %excused;
open my $readme, '<', 'scenarios/README.md' or die "README.md: $!";
my $section = '';
while (<$readme>) {
	$section = $1 if /^## (.+?)\s*$/;
	next unless $section eq 'Not observable here' && /^\* ((?:$id, )+)/;
	$excused{$_} = 1 for $1 =~ /$id/g;
}

my @modes = qw(iptables ipvs nftables userspace);
my (%shown, %by_mode, @strange, @bare);
my @files;
find({ no_chdir => 1, wanted => sub { push @files, $_ if /\.lua$/ } }, 'scenarios');
for my $file (sort @files) {
	open my $in, '<', $file or die "$file: $!";
	my $text = do { local $/; <$in> };
	next unless $text =~ /^scenario (\{(?:[^{}]|(?1))*\})/m;
	my $head = $1;
	my @refs = $head =~ /\brefs\s*=\s*\{([^}]*)\}/ ? $1 =~ /"([^"]+)"/g : ();
	push @bare, $file unless @refs;
	my @runs = $head =~ /\bdataplanes\s*=\s*\{([^}]*)\}/ ? $1 =~ /"([^"]+)"/g : @modes;
	for my $ref (@refs) {
		push @strange, "$file: $ref" unless $title{$ref} || $ref =~ /^(?:$id)$/ && $ref =~ /#/;
		$shown{$ref}++;
		$by_mode{$ref}{$_}++ for @runs;
	}
}

my @missing = grep { !$shown{$_} && !$excused{$_} } @order;
my @gone = grep { !$title{$_} } sort keys %excused;
ok(!@missing, 'every behaviour has a scenario, or a reason why not')
	or diag(join "\n", map { "$_: $title{$_}" } @missing);
ok(!@strange, 'scenarios name behaviours of the list only') or diag(join "\n", @strange);
ok(!@bare, 'every scenario says what it shows') or diag(join "\n", @bare);
is("@gone", '', 'the README excuses behaviours of the list only');

note(sprintf '%-52s %9s %s', 'behaviour', 'scenarios', join ' ', @modes);
for my $one (@order) {
	note(sprintf '%-52s %9s %s', substr("$one $title{$one}", 0, 52), $shown{$one} // ($excused{$one} ? '-' : 0),
		join ' ', map { sprintf '%*d', length, $by_mode{$one}{$_} // 0 } @modes);
}
note(sprintf '%d behaviours, %d with scenarios, %d not observable, %d scenarios', scalar @order,
	scalar(grep { $shown{$_} } @order), scalar(grep { $excused{$_} && !$shown{$_} } @order), scalar @files);
