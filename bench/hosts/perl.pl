# A Perl program that lives by its heap: hashes of arrays, strings grown and cut, records sorted and joined.
# The argument is the number of rounds; what it prints depends on nothing but that.
use strict;
use warnings;

my $state = 1;

sub draw {
    my ($bound) = @_;
    $state = ($state * 1103515245 + 12345) % 2147483648;
    return int($state / 8) % $bound;
}

for my $round (1 .. $ARGV[0]) {
    my %places;
    for my $i (1 .. 60000) {
        my $key = 'key' . draw(9000) . ('x' x draw(15));
        push @{ $places{$key} }, $i;
    }
    my @records = map { { name => $_, count => scalar @{ $places{$_} }, first => $places{$_}[0] } } keys %places;
    @records = sort { $b->{count} <=> $a->{count} or $a->{name} cmp $b->{name} } @records;
    my $text = join ';', map { "$_->{name}=$_->{count}" } @records;
    $text =~ s/key(\d)/<$1>/g;
    my @parts = map { scalar reverse } split /;/, $text;
    print join(' ', $round, scalar @records, $records[0]{name}, length $text, $parts[-1]), "\n";
}
