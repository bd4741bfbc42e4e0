use support::{cli, flip_byte, run};

use crate::fixture::{EXAMPLE, SMALL};

#[test]
fn a_bundle_is_all_a_build_needs() {
    let source = EXAMPLE.warm_copy();
    let bundle = source.path().join("inputs.bundle");
    let mut export = cli();
    export.args(["bundle", "export", "--offline", "--store"]).arg(source.store()).arg("--output").arg(&bundle);
    run(export.arg("--config").arg(source.config().join("image.yaml"))).ok();

    let target = EXAMPLE.copy();
    run(cli().args(["bundle", "import", "--store"]).arg(target.store()).arg(&bundle)).ok();
    run(target.build_under(&["unshare", "--net"]).args(["--offline", "--locked"])).ok();
    target.assert_output(&EXAMPLE);
}

#[test]
fn a_damaged_bundle_brings_nothing_wrong() {
    let source = SMALL.warm_copy();
    let bundle = source.path().join("inputs.bundle");
    let mut export = cli();
    export.args(["bundle", "export", "--offline", "--store"]).arg(source.store()).arg("--output").arg(&bundle);
    run(export.arg("--config").arg(source.config().join("image.yaml"))).ok();
    flip_byte(&bundle);
    let target = SMALL.copy();
    let done = run(cli().args(["bundle", "import", "--store"]).arg(target.store()).arg(&bundle));
    assert!(matches!(done.code(), 1 | 2), "{done:?}");
    target.assert_store_is_clean();
}
