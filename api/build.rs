//! The web application is built by its own tools. Where that has not been done, a page that says so stands in its place, so
//! that this crate always compiles.

use std::path::Path;

const PLACEHOLDER: &str = "<!doctype html>\n<meta charset=\"utf-8\">\n<title>Atalaia</title>\n\
    <p>The web application is not built into this binary. Build it with <code>npm ci &amp;&amp; npm run build</code> \
    in <code>web/</code>, then build the binary again. The API is at <a href=\"/api/v1/openapi.json\">/api/v1</a>.\n";

fn main() -> std::io::Result<()> {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/dist");
    let index = dist.join("index.html");
    if !index.exists() {
        std::fs::create_dir_all(&dist)?;
        std::fs::write(&index, PLACEHOLDER)?;
    }
    println!("cargo::rerun-if-changed=../web/dist");
    Ok(())
}
