# SPDX-License-Identifier: MIT
# Work for the preload test: strings that grow, hashes, sorting, regular expressions.
use strict;
use warnings;

my ($state, %count, @words) = (1);
for my $i (1 .. 200_000) {
    $state = ($state * 1103515245 + 12345) % 2**31;
    my $word = 'w' . ($state >> 8) % 5000;
    push @words, $word if $i % 10 == 0;
    $count{$word} .= chr(97 + $state % 26);
}
for my $word (sort { length $count{$b} <=> length $count{$a} || $a cmp $b } keys %count) {
    print "$word $count{$word}\n";
}
my $text = join ' ', @words;
my $vowels = () = $text =~ /w[1-3]\d*[02468]\b/g;
(my $changed = $text) =~ s/w(\d)(\d+)/$2-$1/g;
print "$vowels ", length $changed, ' ', unpack('%32C*', $changed), "\n";
my @tree = map { { id => $_, list => [1 .. $_ % 50], next => undef } } 1 .. 5000;
$tree[$_ - 1]{next} = $tree[$_] for 1 .. $#tree;
my $sum = 0;
for (my $node = $tree[0]; $node; $node = $node->{next}) { $sum += @{$node->{list}} }
print "$sum\n";
