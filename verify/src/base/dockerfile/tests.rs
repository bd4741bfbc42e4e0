use super::*;

/// Files, and the images they name.
const FOUND: &[(&str, &[&str])] = &[
    (
        "# syntax=x/frontend:1\nARG VERSION=1.2\nARG REGISTRY=\"r.example\"\n\
         FROM --platform=$BUILDPLATFORM ${REGISTRY}/build:$VERSION AS Builder\nRUN make \\\n  # words\n\n  all\n\
         FROM ${OTHER:-r.example/base}@sha256:00\nCOPY --from=builder /a /a\nCOPY --chown=1 --from=r.example/tools:2 /b /b\n\
         RUN --mount=type=bind,from=r.example/mount:3,target=/m true\nFROM builder\nCOPY --from=0 /c /c\nfrom scratch\n\
         FROM r.example/tools:2\n",
        &["x/frontend:1", "r.example/build:1.2", "r.example/base@sha256:00", "r.example/tools:2", "r.example/mount:3"],
    ),
    ("\u{feff}FROM evil/a", &["evil/a"]),
    ("\u{feff}# syntax=evil/f x\nFROM a/b", &["evil/f", "a/b"]),
    ("# escape=\\\n# Syntax = evil/f\nFROM a/b", &["evil/f", "a/b"]),
    ("  #syntax=evil/f\r\nFROM a/b\r\n", &["evil/f", "a/b"]),
    // No directives any more.
    ("# words\n# syntax=x/f\nFROM a/b", &["a/b"]),
    ("\n# syntax=x/f\n# escape=`\nFROM a/b", &["a/b"]),
    ("# x=y\n# z=1\nFROM r.example/base:1", &["r.example/base:1"]),
    ("# x=y\n# words\n# syntax=x/f\nFROM a/b", &["a/b"]),
    ("# x=y\n\n# syntax=x/f\nFROM a/b", &["a/b"]),
    ("# see x=y\n# syntax=x/f\nFROM a/b", &["a/b"]),
    ("# syntax=x/f\n# x=y\n# escape=`\nFROM a/b\nRUN c:\\\n x", &["x/f", "a/b"]),
    ("FROM a/b\n# syntax=x/f\n", &["a/b"]),
    // Lines that go on.
    ("# escape=`\nFROM a/b\nRUN dir c:\\\nFROM evil/c", &["a/b", "evil/c"]),
    ("# syntax=x/f\n# escape=`\nFROM `\n evil/c", &["x/f", "evil/c"]),
    ("FR\\\nOM evil/a", &["evil/a"]),
    ("FROM evil/\\\na", &["evil/a"]),
    ("FROM \\\n\n# words \\\n \t\n  evil/a", &["evil/a"]),
    ("FROM \\ \t\nevil/a", &["evil/a"]),
    ("FROM \\\r\nevil/a\r\n", &["evil/a"]),
    ("FROM evil/a\\", &["evil/a"]),
    ("# words \\\nFROM evil/a", &["evil/a"]),
    ("FROM a/b\nRUN x # \\\n  y\nCOPY \\\n  --from=evil/c \\\n  /a /b", &["a/b", "evil/c"]),
    // How things are written.
    ("\tfrom\t evil/a \t as\tB\nfrom b\n  CoPy\t--from=b /a /b", &["evil/a"]),
    ("FROM a/b\nLABEL words=\"José\\u00a0x\" y='z'\nCMD [\"<<EOF\"]\nRUN [\"/x\", \"--from=no\"]", &["a/b"]),
    ("FROM a/b\nCOPY --from=evil/c [\"/a\", \"/b\"]\nRUN --mount=from=evil/d [\"/x\"]", &["a/b", "evil/c", "evil/d"]),
    ("FROM a/b\nCOPY --link --from=c/d --from=evil/e /a /b", &["a/b", "c/d", "evil/e"]),
    (
        "FROM a/b\nRUN --mount=type=cache,FROM=evil/c --network=none --mount=FrOm=evil/d,ro x",
        &["a/b", "evil/c", "evil/d"],
    ),
    ("FROM a/b\nRUN --mount=type=bind,from=c/d,from=evil/e x", &["a/b", "c/d", "evil/e"]),
    ("FROM a/b\nRUN x --mount=from=no \"--from=no\"\nCOPY /a --from=no /b", &["a/b"]),
    ("FROM a/b AS b\nONBUILD COPY --from=b /a /b\nonbuild run --mount=from=evil/c x", &["a/b", "b", "evil/c"]),
    ("FROM a/b\nONBUILD CMD x\nONBUILD RUN <<EOF\nFROM no\nEOF\nFROM evil/c", &["a/b", "evil/c"]),
    // Stages.
    ("FROM a/b AS c\nCOPY --from=c /a /b\nCOPY --from=later /a /b\nFROM c AS later", &["a/b", "c", "later"]),
    ("FROM later\nFROM a/b AS later", &["later", "a/b"]),
    ("FROM c AS c\nFROM C\nCOPY --from=0 a b\nCOPY --from=1 a b\nCOPY --from=+0 a b", &["c", "1", "+0"]),
    ("FROM a/b\nFROM c/d\nRUN --mount=from=0 x\nCOPY --from=00 a b", &["a/b", "c/d", "0"]),
    ("FROM scratch\nFROM Scratch\nCOPY --from=scratch /a /b", &["Scratch"]),
    // Arguments.
    ("ARG A=x/y B='z'\nARG C=\"$A/${B}\"\nFROM $C\nARG A=no\nFROM $A", &["x/y/z", "x/y"]),
    ("ARG A=x/y\nARG A=evil/z\nFROM $A", &["evil/z"]),
    ("ARG A=x/y X=\"1 A=no\"\nFROM $A", &["x/y"]),
    ("ARG E=\nARG F\nFROM a/b$E\nFROM c/${E:-d}\nFROM e/${F:-f}", &["a/b", "c/d", "e/f"]),
    (
        "ARG TARGETARCH
ARG T=x-$TARGETARCH W=a\"b c\"
FROM a/b",
        &["a/b"],
    ),
    ("ARG TARGETARCH=x\nARG T=x-$TARGETARCH\nFROM --platform=$T a/b", &["a/b"]),
    // Documents inside.
    ("FROM a/b\nRUN <<EOF\nFROM no\\\nEOF\nFROM evil/c", &["a/b", "evil/c"]),
    (
        "FROM a/b\nRUN cat <<-\"EOF\" 3<<'B' > /x && y\nFROM no\n EOF\n\t\tEOF\nFROM no\n\tB\nB\r\nFROM evil/c",
        &["a/b", "evil/c"],
    ),
    ("FROM a/b\nCOPY --from=evil/c <<EOF /x\n\u{a0}COPY\nEOF\n", &["a/b", "evil/c"]),
    ("FROM a/b\nRUN <<A\nRUN <<B\nA\nFROM evil/c\nRUN <<B\nB", &["a/b", "evil/c"]),
    ("FROM a/b\nENV X=<<EOF\nFROM evil/c\nLABEL EOF=", &["a/b", "evil/c"]),
];

/// Files that are not understood, and a part of why.
const UNCLEAR: &[(&str, &str)] = &[
    ("", "no `FROM`"),
    ("# FROM a/b\n\n", "no `FROM`"),
    ("ARG A=b", "no `FROM`"),
    ("\0FROM a/b", "control"),
    ("FROM a/b\n# \0", "control"),
    ("# x\rFROM evil/a\nFROM a/b", "control"),
    ("FROM a/b\\\r\r\nc", "control"),
    ("\u{feff}\u{feff}FROM a/b", "white space"),
    ("FROM a/b\n\u{a0}# x", "white space"),
    ("FROM a/b\nRUN x \\\u{a0}\nFROM evil/c", "white space"),
    ("FROM a/b\nRUN x \\\u{b}\nFROM evil/c", "white space"),
    ("FROM a/b\nCOPY\u{2003}--from=evil/c /a /b", "white space"),
    ("FROM a/b\nCOPY \u{a0}--from=evil/c /a /b", "white space"),
    ("FROM a/b\nRUN x \\\\\nFROM evil/c", "goes on"),
    ("# escape=`\nFROM a/b\nRUN x ``\nFROM evil/c", "goes on"),
    ("# escape=x\nFROM a/b", "no such"),
    ("# escape=`\n# escape=\\\nFROM a/b", "twice"),
    ("# syntax=a/b\n# SYNTAX=c/d\nFROM a/b", "twice"),
    ("# syntax=\nFROM a/b", "not clear"),
    ("# check=skip=all\n# escape=`\nFROM a/b", "not clear"),
    ("# x=y\n# syntax=evil.example/f:1\nFROM r.example/base:1", "counts behind `# x=y`"),
    ("# x=y\n# z=1\n# escape=`\n#SYNTAX = evil/f\nFROM a/b", "counts behind `# x=y`"),
    ("# syntax=x/f\n# x=y\n# syntax=evil/f\nFROM a/b", "counts behind `# x=y`"),
    ("# x=y\n#!/x\n# syntax=evil/f\nFROM a/b", "something else"),
    ("#\u{a0}syntax\u{a0}=evil/f\nFROM a/b", "white space"),
    ("#!/x\n# syntax=evil/f\nFROM a/b", "something else"),
    ("// syntax=evil/f\nFROM a/b", "before any"),
    ("{\"syntax\": \"evil/f\"}", "before any"),
    ("RUN x\nFROM a/b", "before any"),
    ("FROM", "FROM IMAGE"),
    ("FROM a/b c", "FROM IMAGE"),
    ("FROM a/b AS", "FROM IMAGE"),
    ("FROM a/b AS c d", "FROM IMAGE"),
    ("FROM a/b like c", "FROM IMAGE"),
    ("FROM a/b --platform=x", "FROM IMAGE"),
    ("FROM a/b AS 0", "stage"),
    ("FROM a/b AS x/y", "stage"),
    ("FROM a/b AS $X", "stage"),
    ("FROM a/b AS \u{212a}", "stage"),
    ("FROM \"a/b\"", "quoted"),
    ("FROM a/\\b", "quoted"),
    ("FROM --platform linux/x a/b", "option"),
    ("FROM --from=x a/b", "option"),
    ("FROM -- a/b", "option"),
    ("FROM $A", "whoever builds"),
    ("ARG A\nFROM a/$A", "whoever builds"),
    ("FROM a/b\nARG A=c/d\nFROM $A", "whoever builds"),
    ("ARG TARGETARCH=x\nFROM a/b:$TARGETARCH", "whoever builds"),
    ("ARG BUILDPLATFORM=x\nARG B=$BUILDPLATFORM\nFROM a/${B:-c}", "whoever builds"),
    ("FROM a/${http_proxy:-b}", "whoever builds"),
    ("ARG A=b\nARG A\nFROM a/$A", "twice"),
    ("ARG A='$B'\nFROM a/$A", "not clear"),
    ("ARG A=b\"c\"\nFROM a/$A", "quoted"),
    ("ARG H=a/b\nARG \"H=evil/c\"\nFROM $H", "not clear"),
    ("ARG H=a/b\nARG \\H=evil/c\nFROM $H", "not clear"),
    ("ARG H=a/b\nARG X=\"y H=evil/c\nFROM $H", "not clear"),
    ("ARG --required H\nFROM $H", "not clear"),
    ("FROM ${A", "no end"),
    ("FROM a/$", "not clear"),
    ("FROM a/$1", "not clear"),
    ("ARG A=b\nFROM ${A:+evil/c}", "not clear"),
    ("ARG A=b\nFROM ${A/b/c}", "not clear"),
    ("FROM ${A:-$B}", "not clear"),
    ("ARG E=\nFROM $E", "no image"),
    ("FROM a/b\nCOPY --fr\"om\"=evil/c /a /b", "option"),
    ("FROM a/b\nCOPY --f\\rom=evil/c /a /b", "option"),
    ("FROM a/b\nCOPY --from=\"evil/c\" /a /b", "option"),
    ("FROM a/b\nCOPY --from evil/c /a /b", "option"),
    ("FROM a/b\nCOPY -- --from=evil/c /a /b", "option"),
    ("FROM a/b\nCOPY --from= /a /b", "no image"),
    ("FROM a/b\nCOPY --from=$X /a /b", "no image"),
    ("FROM a/b\nCOPY --links --from=evil/c /a /b", "option"),
    ("FROM a/b\nCOPY --link\u{e0}--from=evil/c /a /b", "option"),
    ("FROM a/b\nADD --from=evil/c /a /b", "option"),
    ("FROM a/b\nRUN --mount=type=bind,\"from=evil/c\",target=/m x", "option"),
    ("FROM a/b\nRUN --mount=from=$X x", "no image"),
    ("FROM a/b\nRUN --mount x", "option"),
    ("FROM a/b\nONBUILD FROM evil/c", "ONBUILD"),
    ("FROM a/b\nONBUILD ONBUILD COPY --from=evil/c a b", "no instruction"),
    ("FROM a/b\nONBUILD --x COPY --from=evil/c a b", "no instruction"),
    ("FROM a/b\nONBUILD COPY --fr'om'=evil/c a b", "option"),
    ("FROM a/b\nIMPORT evil/c", "no instruction"),
    ("FROM a/b\nRUN <<EOF\nFROM evil/c", "does not end"),
    ("FROM a/b\nRUN <<EOF\n EOF\nFROM evil/c", "does not end"),
    ("FROM a/b\nRUN <<-EOF\n  EOF\nFROM evil/c", "does not end"),
    ("FROM a/b\nRUN << EOF\nFROM evil/c\nEOF", "document"),
    ("FROM a/b\nRUN <<E\"O\"F\nFROM evil/c\nEOF", "document"),
    ("FROM a/b\nRUN <<'EOF\nFROM evil/c\nEOF", "document"),
    ("FROM a/b\nRUN <<$EOF\nFROM evil/c\n$EOF", "document"),
    ("FROM a/b\nRUN cat<<EOF\nFROM evil/c\nEOF", "document"),
    ("FROM a/b\nRUN cat <<<EOF\nFROM evil/c\nEOF", "document"),
    ("FROM a/b\nRUN \"x <<EOF \"\nFROM evil/c\nEOF", "document"),
    ("FROM a/b\nRUN it's <<EOF\nFROM evil/c\nEOF", "document"),
    ("FROM a/b\nRUN ${x <<EOF\nFROM evil/c\nEOF", "document"),
    ("FROM a/b\nCOPY [\"<<EOF\", \"/x\"]\nFROM evil/c\nEOF", "document"),
];

#[test]
fn every_image_is_found_and_no_stage() {
    for (text, wanted) in FOUND {
        assert_eq!(images(text).unwrap_or_else(|why| panic!("{text:?}: {why}")), *wanted, "{text:?}");
    }
}

#[test]
fn what_is_not_clear_is_not_understood() {
    for (text, why) in UNCLEAR {
        let found = images(text).map_err(|found| assert!(found.contains(why), "{text:?}: {found}"));
        assert!(found.is_err(), "{text:?}: {found:?}");
    }
}
