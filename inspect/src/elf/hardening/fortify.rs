//! The functions of the GNU C library that have a variant which checks sizes (`_FORTIFY_SOURCE`).

/// Names without `__` and `_chk`, sorted. Not `open`: its variant checks for a mode, and only where flags are not constant.
#[rustfmt::skip]
const FUNCTIONS: &[&str] = &[
    "asprintf", "confstr", "dprintf", "explicit_bzero", "fdelt", "fgets", "fgets_unlocked", "fgetws",
    "fgetws_unlocked", "fprintf", "fread", "fread_unlocked", "fwprintf", "getcwd", "getdomainname", "getgroups",
    "gethostname", "getlogin_r", "gets", "getwd", "inet_ntop", "inet_pton", "longjmp", "mbsnrtowcs", "mbsrtowcs",
    "mbstowcs", "memcpy", "memmove", "mempcpy", "memset", "obstack_printf", "obstack_vprintf", "poll", "ppoll",
    "pread", "pread64", "printf", "ptsname_r", "read", "readlink", "readlinkat", "realpath", "recv", "recvfrom",
    "snprintf", "sprintf", "stpcpy", "stpncpy", "strcat", "strcpy", "strlcat", "strlcpy", "strncat", "strncpy",
    "swprintf", "syslog", "ttyname_r", "vasprintf", "vdprintf", "vfprintf", "vfwprintf", "vprintf", "vsnprintf",
    "vsprintf", "vswprintf", "vsyslog", "vwprintf", "wcpcpy", "wcpncpy", "wcrtomb", "wcscat", "wcscpy", "wcslcat",
    "wcslcpy", "wcsncat", "wcsncpy", "wcsnrtombs", "wcsrtombs", "wcstombs", "wctomb", "wmemcpy", "wmemmove",
    "wmempcpy", "wmemset", "wprintf",
];

/// Headers that only a fortified unit includes, in the C library's directory `bits`, sorted. Their functions are inlined, so
/// a unit that used one names it in its table of files.
const HEADERS: &[&str] = &[
    "fcntl2.h",
    "mqueue2.h",
    "poll2.h",
    "select2.h",
    "setjmp2.h",
    "socket2.h",
    "stdio2.h",
    "stdlib.h",
    "string_fortified.h",
    "strings_fortified.h",
    "syslog.h",
    "unistd.h",
    "wchar2.h",
];

/// `Some(true)` for a function that checks, `Some(false)` for one that could, `None` for any other.
pub(super) fn function(name: &str) -> Option<bool> {
    let known = |name| FUNCTIONS.binary_search(&name).is_ok();
    match name.strip_prefix("__").and_then(|rest| rest.strip_suffix("_chk")) {
        Some(checked) => known(checked).then_some(true),
        None => known(name).then_some(false),
    }
}

/// Whether a file is one of the headers; `directory` may be cut off from the name in any place.
pub(super) fn header(directory: &[u8], name: &[u8]) -> bool {
    let path = [directory, name].join(&b'/');
    let mut parts = path.rsplit(|byte| *byte == b'/');
    let (Some(name), Some(b"bits")) = (parts.next(), parts.next()) else { return false };
    str::from_utf8(name).is_ok_and(|name| HEADERS.binary_search(&name).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted() {
        assert!(FUNCTIONS.is_sorted() && HEADERS.is_sorted());
    }

    #[test]
    fn a_function_checks_could_check_or_has_nothing_to_check() {
        assert_eq!(function("__memcpy_chk"), Some(true));
        assert_eq!(function("memcpy"), Some(false));
        for other in ["__stack_chk_fail", "__memcpy", "memcpy_chk", "__chk", "malloc", ""] {
            assert_eq!(function(other), None, "{other}");
        }
    }

    #[test]
    fn a_header_counts_only_in_its_directory() {
        assert!(header(b"/usr/include/x86_64-linux-gnu/bits", b"unistd.h"));
        assert!(header(b"/usr/include/x86_64-linux-gnu", b"bits/string_fortified.h"));
        assert!(header(b"", b"/usr/include/bits/stdio2.h"));
        assert!(!header(b"/usr/include", b"unistd.h"));
        assert!(!header(b"/usr/include/bits", b"types.h"));
        assert!(!header(b"", b""));
    }
}
