# What a Perl program does to a heap: hashes, strings that grow, regular expressions, sorting.
use strict;
use warnings;

my %count;
$count{"w" . ($_ * $_) % 7919}++ for 1 .. 200000;
my @top = (sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count)[0 .. 9];
print join(" ", map { "$_=$count{$_}" } @top), "\n";
my $text = "";
$text .= "line $_ of many\n" for 1 .. 100000;
my $vowels = () = $text =~ /[aeiou]/g;
print length($text), " $vowels\n";
my @lists = map { [ map { $_ x 3 } 1 .. $_ % 100 ] } 1 .. 5000;
my $sum = 0;
$sum += @$_ for @lists;
print "$sum\n";
(my $copy = $text) =~ s/(\d+)/<$1>/g;
print length($copy), "\n";
print join(",", (sort { $a <=> $b } map { ($_ * 7919) % 100003 } 1 .. 50000)[0 .. 9]), "\n";
my @pieces = split /\n/, $copy;
print scalar(@pieces), " ", $pieces[777], "\n";
