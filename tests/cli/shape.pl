# shape.pl ARTICLE OUTPUT: each line of an article is in the output, in order, when what a
# cluster draws (addresses, names, ages, identifiers) is left open. Prints the first line
# that is not, and exits 1.
use strict;
use warnings;

my $letter = qr/[a-z0-9]/;

sub shape
{
	my ($line) = @_;
	$line =~ s/\d+-\d+-\d+-\d+(?=\.)/IP/g;
	$line =~ s/\b\d+\.\d+\.\d+\.\d+\b/IP/g;
	$line =~ s/\b\d{4}-\d\d-\d\dT[\d:.]+Z/TIME/g;
	$line =~ s/-[a-z0-9]{8,10}-$letter{5}\b/-HASH-ID/g;   # pods of a Deployment
	$line =~ s/\b(kubia|kube-proxy)-$letter{5}\b/$1-ID/g; # of other controllers
	$line =~ s/(hash=)[a-z0-9]+/$1HASH/g;
	$line =~ s/\bid: \d+/id: N/;
	$line =~ s/Query time: \d+/Query time: N/;
	$line =~ s/^(nf?_?\w+|ip_vs\w*)\s+\d+\s+(\d+)/$1 SIZE $2/; # lsmod
	# AGE stands after RESTARTS, or last; a label or address may follow it.
	$line =~ s/(?<=\s)(\d+[dhms]){1,2}(?=\s|$)/AGE/g;
	$line =~ s/(Running\s+)\d+(\s+AGE)/${1}N$2/;
	$line =~ s/(k8s-worker-?0|node0)\d(?=\S*\s)/$1N/g;
	$line =~ s/<((\[\])?)[A-Z]\w*>/<$1Object>/g if $line =~ /^\s*\w+\s+</; # explain
	$line =~ s/^\s+|\s+$//g;
	$line =~ s/\s+/ /g;
	# A headless name's addresses come in any order.
	$line =~ s/^Address \d: IP (\S+-HASH-ID|IP\.\S+|web(-server)?-\d\.\S+)$/Address of a pod/;
	return $line;
}

my ($article, $output) = @ARGV;
open my $in, '<', $article or die "$article: $!";
my @wanted = grep { /\S/ && !/^[#<] / } <$in>;
open my $out, '<', $output or die "$output: $!";
my @got = map { shape($_) } <$out>;
my $at = 0;
for my $line (@wanted) {
	chomp $line;
	$line =~ s/^> //;
	my $want = shape($line);
	my $from = $at;
	$at++ while $at < @got && $got[$at] ne $want;
	if ($at == @got) {
		print "not there after line $from: $line\n", "as a shape: $want\n";
		exit 1;
	}
	$at++;
}
printf "%d lines\n", scalar @wanted;
