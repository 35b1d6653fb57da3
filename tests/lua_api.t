#!/usr/bin/perl
# The scenario language as editors see it (lua/svclab.d.lua) is the language as it is: the same
# globals, methods and parameters, all of them there when a scenario runs; and the reference
# made from it is fresh.
use strict;
use warnings;
use File::Temp ();
use Test::More tests => 9;

sub slurp { my ($file) = @_; open my $in, '<', $file or die "$file: $!"; local $/; return scalar <$in> }
my $prelude = slurp('lua/prelude.lua');
my $described = slurp('lua/svclab.d.lua');

# name -> parameters, for functions; "=" for values and functions made elsewhere.
sub globals
{
	my ($text) = @_;
	my %found = $text =~ /^function ([a-z_]+)\(([^)]*)\)/mg;
	$found{$1} //= '=' while $text =~ /^([a-z_]+) = /mg;
	return \%found;
}

# A name of one letter says nothing: the description may have a better one.
sub same
{
	my ($is, $said) = map { [split /, */] } @_;
	return $_[0] eq '=' || @$is == @$said && !grep { length $is->[$_] > 1 && $is->[$_] ne $said->[$_] } 0 .. $#$is;
}

sub difference
{
	my ($is, $said) = @_;
	return join "\n", (map { "$_($is->{$_}) is described as $_($said->{$_})" }
		grep { defined $said->{$_} && !same($is->{$_}, $said->{$_}) } sort keys %$is);
}

my ($is, $said) = (globals($prelude), globals($described));
is(join(' ', grep { !defined $said->{$_} } sort keys %$is), '', 'lua/svclab.d.lua describes every global');
is(join(' ', grep { !defined $is->{$_} } sort keys %$said), '', 'lua/svclab.d.lua describes nothing that is not there');
is(difference($is, $said), '', 'functions are described with their parameters');

# Methods: local tables of the prelude, classes of the description.
my %class = (expectation => 'Expectation', place => 'Place', connection => 'Connection', tap => 'Tap');
my (@missing, @extra, @differ, %methods);
for my $table (sort keys %class) {
	my %is = $prelude =~ /^function \Q$table\E:(\w+)\(([^)]*)\)/mg;
	my ($body) = $described =~ /^---\@class \Q$class{$table}\E\n((?:---\@field .*\n)*)/m;
	my %said;
	while (($body // '') =~ /^---\@field (\w+) fun\(self(.*)$/mg) {
		my ($name, $rest, $depth, $list) = ($1, $2, 1, '');
		for my $c (split //, $rest) {
			$depth++ if $c =~ /[({]/;
			$depth-- if $c =~ /[)}]/;
			last unless $depth;
			$list .= $c if $depth == 1 && $c ne '}';
		}
		$said{$name} = join ', ', $list =~ /(?:^|,) *(\w+)\??:/g;
	}
	push @missing, map { "$table:$_" } grep { !defined $said{$_} } sort keys %is;
	push @extra, map { "$table:$_" } grep { !defined $is{$_} } sort keys %said;
	my $differ = difference(\%is, \%said);
	push @differ, $differ if $differ;
	$methods{$table} = [sort keys %said];
}
is("@missing", '', 'every method is described');
is("@extra", '', 'no method is described that is not there');
is(join("\n", @differ), '', 'methods are described with their parameters');

# What is described, asked of a scenario that runs: the program has the prelude that is here.
my $folder = File::Temp->newdir;
my $values = join ' ', map { qq(expect(type($_)):never():eq("nil");) } grep { $_ ne 'params' } sort keys %$said;
my %object = (place => 'node "a"', expectation => 'expect(1)', tap => 'capture "*"');
my $calls = join ' ', map { my $t = $_; map { qq(expect(type(($object{$t}).$_)):eq("function");) } @{ $methods{$t} } } sort keys %object;
open my $out, '>', "$folder/all.lua" or die $!;
print $out qq(scenario { name = "all", nodes = { "a" }, no_dns = true, dataplanes = { "iptables" } }\n),
	qq(it("has the globals", function() $values end)\nit("has the methods", function() $calls end)\n);
close $out or die $!;
my $svclab = $ENV{SVCLAB} // 'build/svclab';
my $tap = `$svclab run $folder/all.lua 2>&1`;
is(scalar(() = $tap =~ /^ok /mg), 2, 'a scenario that runs has all that is described') or diag($tap);

my $made = `tools/api lua/svclab.d.lua`;
is($made, slurp('doc/scenario-api.md'), 'doc/scenario-api.md is fresh (make doc)');
is(join(' ', grep { $made !~ /^### \Q$_\E$/m } sort keys %$said), '', 'the reference has every global');
