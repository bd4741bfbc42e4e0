//! Images of one document in every variant: what each can do, and what it shares with the others.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use support::{Done, repository, run};

use crate::fixture::{MIRROR, build, scratch};
use crate::image::{bundle, json, layout, manifest};

/// What people do with a running image: look around, trace a program, stop it in a debugger.
const LOOK: &str = r"
set -eu
test $(id -u) = 65532
bash -c 'echo $BASH_VERSION'
ps ax -o pid,comm
find /etc -name hosts | xargs grep -c localhost
strace -e trace=execve true
gdb --version | head -1
gdb -batch -ex 'break exit' -ex run --args /usr/bin/true 2>&1 | grep 'Breakpoint 1, '
";

/// A program, a library of Python's, and what makes them.
const COMPILE: &str = r#"
set -eu
mkdir /tmp/work && cd /tmp/work
cat > a.c <<'C'
#include <math.h>
#include <stdio.h>
int main(int count, char **words) { printf("%.0f\n", sqrt(count * 49.0)); }
C
cat > b.cc <<'C'
#include <iostream>
#include <vector>
int main() { std::cout << std::vector<int>{1, 2, 3}.size() << std::endl; }
C
cat > twice.c <<'C'
#include <Python.h>
static PyObject *twice(PyObject *self, PyObject *number) { return PyNumber_Add(number, number); }
static PyMethodDef methods[] = {{"twice", twice, METH_O, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "twice", 0, -1, methods};
PyMODINIT_FUNC PyInit_twice(void) { return PyModule_Create(&module); }
C
printf 'all: a b twice.so\na: LDLIBS = -lm\ntwice.so: twice.c\n\t$(CC) -shared -fPIC `python3.13-config --includes` -o $@ $<\n' > Makefile
make
test $(./a) = 7
test $(./b) = 3
test $(python3 -c 'import twice; print(twice.twice(21))') = 42
"#;

/// A shell's script in a container of an image.
fn sh(bundle: &Path, script: &str) -> Done {
    let config = bundle.join("config.json");
    let mut spec = json(&config);
    spec["process"]["terminal"] = json!(false);
    spec["process"]["args"] = json!(["/bin/sh", "-c", script]);
    fs::write(&config, spec.to_string()).unwrap();
    let name = format!("clnstrt-e2e-{}-{}", std::process::id(), script.len());
    let mut runc = Command::new("runc");
    run(runc.arg("--root").arg(bundle.with_extension("runc")).args(["run", "--bundle"]).arg(bundle).arg(name))
}

#[test]
fn dev_has_a_shell_and_debuggers_builder_has_compilers_and_prod_has_neither() {
    let dir = scratch();
    let images = dir.path().join("images/");
    let config = repository().join("tests/e2e/configs/variants/image.yaml");
    let place = dir.path().join("config");
    fs::create_dir(&place).unwrap();
    fs::copy(config, place.join("image.yaml")).unwrap();
    let done = run(build(&place, &dir.path().join("store"), &images).args(MIRROR.source_options())).ok();
    println!("built in {:?}\n{}", done.took, done.stdout);

    let unpack = |name: &str| -> (Value, Value, PathBuf) {
        let into = dir.path().join(name);
        let layout = layout(&images.join(format!("{name}.tar.gz")), &into);
        let (manifest, config) = manifest(&layout, "amd64");
        (manifest, config, bundle(&layout, "amd64", &into))
    };
    let (prod, config, bundle) = unpack("tools");
    assert_eq!(config["config"]["Labels"]["dev.clnstrt.variant"], Value::Null);
    let refused = sh(&bundle, "true");
    assert!(!refused.status.success() && refused.stderr.contains("/bin/sh"), "{refused:?}");
    for (name, variant, script) in [("tools-dev", "dev", LOOK), ("tools-builder", "builder", COMPILE)] {
        let (manifest, config, bundle) = unpack(name);
        assert_eq!(config["config"]["Labels"]["dev.clnstrt.variant"], variant);
        assert_eq!(manifest["annotations"]["dev.clnstrt.variant"], variant);
        let layers = |manifest: &Value| manifest["layers"].as_array().unwrap().clone();
        assert_eq!(
            layers(&manifest).split_last().unwrap().1,
            layers(&prod),
            "all but the last layer are those of prod"
        );
        println!("{}", sh(&bundle, script).ok().stdout);
    }
}
