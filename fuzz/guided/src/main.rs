//! Runs the target that `ATALAIA_FUZZ_TARGET` names under libFuzzer, which keeps what reaches new code. `make fuzz` builds it with the
//! instrumentation it needs, on a stable compiler.
#![no_main]

use std::sync::LazyLock;

use fuzz::Target;
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<&'static Target> = LazyLock::new(|| {
    let name = std::env::var("ATALAIA_FUZZ_TARGET").unwrap_or_default();
    Target::by_name(&name).expect("ATALAIA_FUZZ_TARGET names a target of fuzz::TARGETS")
});

fuzz_target!(|input: &[u8]| (TARGET.run)(input));
