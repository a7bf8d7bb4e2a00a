#!/bin/sh
# Judges a price list (CSV: item,price,currency): every price is a number above zero.
# Exit 0: passed. Exit 1: failed, the lines at fault on stdout. Any other: could not judge.

[ -r "$1" ] || exit 2
awk -F, '
    NR == 1 { next }
    $2 !~ /^[0-9]+(\.[0-9]+)?$/ || $2 + 0 <= 0 {
        printf "line %d: %s has the price \"%s\"\n", NR, $1, $2
        bad = 1
    }
    END {
        if (NR < 2) { print "no prices"; bad = 1 }
        exit bad
    }
' "$1"
