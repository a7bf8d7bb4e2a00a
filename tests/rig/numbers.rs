//! Numbers that look random, and are the same in every run.

/// Numbers that are the same in every run (Knuth's generator of 64 bits).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    /// Returns the next one, below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }

    /// Returns one of these.
    pub(crate) fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.below(among.len())]
    }
}
