#!/usr/bin/perl
# Every global of the scenario language is described for editors, and nothing else is.
use strict;
use warnings;
use Test::More tests => 2;

sub globals {
	my ($file) = @_;
	open my $in, '<', $file or die "$file: $!";
	my %names;
	while (<$in>) {
		$names{$1} = 1 if /^function ([a-z_]+)\(/ || /^([a-z_]+) = /;
	}
	return %names;
}
my %prelude = globals('lua/prelude.lua');
my %described = globals('lua/svclab.d.lua');
my @missing = grep { !$described{$_} } sort keys %prelude;
my @extra = grep { !$prelude{$_} } sort keys %described;
is("@missing", '', 'lua/svclab.d.lua describes every global');
is("@extra", '', 'lua/svclab.d.lua describes nothing that is not there');
