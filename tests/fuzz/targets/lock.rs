//! Locks and plans that were changed by hand.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::Arch;
use model::lock::Lock;
use model::plan::Plan;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(lock) = Lock::from_text(bytes) {
        let _ = runtime::prove::check_lock(&lock);
        let wanted =
            lock.images().map(|(asked, arch, _)| (asked, arch)).filter(|(_, arch)| *arch == Arch::Amd64).collect();
        let narrowed = lock.narrowed(&wanted);
        assert_eq!(narrowed, narrowed.narrowed(&wanted));
        assert_eq!(Lock::from_text(lock.to_text().as_bytes()), Ok(lock));
    }
    if let Ok(plan) = serde_json::from_slice::<Plan>(bytes) {
        let _ = plan.check();
    }
});
