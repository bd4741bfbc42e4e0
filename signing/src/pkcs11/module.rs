//! Modules of PKCS #11: the libraries of tokens' makers, loaded into this process.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::Error;

/// Modules in use, and by how many keys: a module is initialised once in a process, whoever uses it.
static LOADED: Mutex<BTreeMap<PathBuf, (Pkcs11, usize)>> = Mutex::new(BTreeMap::new());

/// A module that is initialised as long as somebody has one of these.
pub(super) struct Module {
    path: PathBuf,
    pub(super) context: Pkcs11,
}

impl Module {
    /// Loads a module, which runs its code.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn load(path: &Path) -> Result<Self, String> {
        // A bare name would be looked for in folders of the system, and a relative one depends on where we are.
        if !path.is_absolute() {
            return Err("its path is not absolute".into());
        }
        let path = fs::canonicalize(path).map_err(|e| e.to_string())?;
        let mut loaded = loaded();
        let context = if let Some((context, users)) = loaded.get_mut(&path) {
            *users += 1;
            context.clone()
        } else {
            let context = Pkcs11::new(&path).map_err(|e| words(&e))?;
            let arguments = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
            context.initialize(arguments).map_err(|e| words(&e))?;
            loaded.insert(path.clone(), (context.clone(), 1));
            context
        };
        Ok(Self { path, context })
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        let mut loaded = loaded();
        let Some((_, users)) = loaded.get_mut(&self.path) else { return };
        *users -= 1;
        if *users == 0
            && let Some((context, _)) = loaded.remove(&self.path)
        {
            // Nobody is left who could do something about it.
            let _ = context.finalize();
        }
    }
}

fn loaded() -> MutexGuard<'static, BTreeMap<PathBuf, (Pkcs11, usize)>> {
    LOADED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What went wrong, without the paragraphs that `cryptoki` quotes from the standard.
pub(super) fn words(error: &Error) -> String {
    match error {
        Error::Pkcs11(answer, function) => format!("C_{function:?} answered {answer:?}"),
        other => other.to_string(),
    }
}
