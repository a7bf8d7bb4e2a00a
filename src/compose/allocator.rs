//! What the C library's allocator keeps of memory that is free again.

/// Has the system take large pieces of memory back as soon as they are free.
///
/// By default glibc raises the size that counts as large to that of the largest piece that was freed, up to 32 MiB, and keeps twice
/// as much for each thread: a service that takes long requests would hold several times what it needs.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "only the C library has this setting")]
pub(super) fn give_large_pieces_back() {
    const LARGE_BYTES: libc::c_int = 256 << 10;
    // SAFETY: the call takes two numbers and changes a number of the allocator, under the allocator's lock.
    let is_set = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BYTES) };
    debug_assert_eq!(is_set, 1);
}

/// Other allocators give memory back by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn give_large_pieces_back() {}
