#!/usr/bin/perl
# Dataplanes that are wrong on purpose (tests/broken.c) are caught by the suite: each
# by the scenario named here, and with FULL=1 the number of scenarios that catch it is told.
use strict;
use warnings;
use File::Find;

my $program = ($ENV{BUILD} // 'build') . '/tests/broken';
my %judge = (
	'no-masquerade' => 'nodeport/from-outside', 'masquerades-all' => 'masquerade/pod-to-pod',
	'no-hairpin' => 'hairpin/service', 'wrong-probability' => 'selection/probabilities',
	'lost-endpoint' => 'selection/per-connection', 'no-affinity' => 'affinity/client-ip',
	'drops' => 'policy/drop-or-reject', 'refuses' => 'policy/no-local-endpoint',
	'no-node-ports' => 'nodeport/from-outside', 'policy-ignored' => 'policy/independent',
	'ranges-ignored' => 'loadbalancer/source-ranges', 'wrong-port' => 'clusterip/match',
	'stale-endpoints' => 'readiness/removes-endpoint', 'one-scheduler' => 'selection/round-robin',
	'no-persistence' => 'affinity/ipvs-persistence', 'no-addresses' => 'clusterip/address',
	'nft-no-masquerade' => 'nodeport/from-outside', 'nft-refuses-nothing' => 'policy/drop-or-reject',
	'nft-first-endpoint' => 'selection/per-connection',
);

my @faults = map { chomp; [split /\t/] } `$program`;
my @all;
find({ no_chdir => 1, wanted => sub { push @all, $_ if /\.lua$/ && !m{/labs/} } }, 'scenarios');

print "TAP version 13\n1..", scalar(@faults), "\n";
my ($number, $failed) = (0, 0);
for my $fault (@faults) {
	my ($name, $mode, $sentence) = @$fault;
	my $judge = $judge{$name} // '(nobody)';
	my @files = $ENV{FULL} ? sort @all : "scenarios/$judge.lua";
	my @caught = grep { my $tap = `$program $name $_ 2>&1`; $? >> 8 == 1 && $tap =~ /^not ok/m } @files;
	my $ok = grep { $_ eq "scenarios/$judge.lua" } @caught;
	$failed++ unless $ok;
	printf "%sok %d - %s: %s: caught by %s\n", $ok ? '' : 'not ', ++$number, $mode, $sentence, $judge;
	print "# $name: caught by ", scalar(@caught), " of ", scalar(@files), " scenarios\n" if $ENV{FULL};
}
exit($failed || !@faults ? 1 : 0);
