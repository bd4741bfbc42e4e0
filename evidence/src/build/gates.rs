use model::statement::Resource;
use serde::Serialize;

use super::Build;

/// Which gates were run, and what came of them (in-toto test result 0.1), with how many that were.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TestReport {
    result: &'static str,
    /// What says which gates there are: what the author declared.
    configuration: Vec<Resource>,
    passed_tests: [String; 0],
    warned_tests: [String; 0],
    failed_tests: [String; 0],
    gates_run: u32,
}

/// The test report. No gates are run yet, and it says so: it is `WARNED`, for the format knows no other word for what neither
/// passed nor failed, and lists nothing that passed. JSON.
pub fn test_report(build: &Build<'_>) -> Vec<u8> {
    let declared = build.declared.documents.iter();
    crate::json(&TestReport {
        result: "WARNED",
        configuration: declared.map(|(name, digest)| Resource::new(name.clone(), digest)).collect(),
        passed_tests: [],
        warned_tests: [],
        failed_tests: [],
        gates_run: 0,
    })
}
