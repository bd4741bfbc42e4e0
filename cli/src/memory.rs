//! How much memory a command holds on to.

/// The allocator asks for huge pages, of which a short command would leave most unused. A kernel that has none needs not be told.
pub(crate) fn without_huge_pages() {
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// Gives back what is free. The allocator keeps that for a while, above all what threads used that have ended.
pub(crate) fn give_back() {
    #[expect(unsafe_code, reason = "mimalloc is the allocator, and has this function in all its versions (mimalloc.h)")]
    unsafe extern "C" {
        safe fn mi_collect(force: bool);
    }
    mi_collect(true);
}
