//! Locks and plans that were changed by hand.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::Arch;
use model::lock::Lock;
use model::plan::Plan;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(lock) = serde_json::from_slice::<Lock>(bytes) {
        let _ = runtime::prove::check_lock(&lock);
        let narrowed = lock.narrowed(&[Arch::Amd64]);
        assert_eq!(narrowed, narrowed.narrowed(&[Arch::Amd64]));
        assert_eq!(serde_json::from_str::<Lock>(&lock.to_text()).expect("a lock that was written is a lock"), lock);
    }
    if let Ok(plan) = serde_json::from_slice::<Plan>(bytes) {
        let _ = plan.check();
    }
});
