module umber/peers

go 1.23
