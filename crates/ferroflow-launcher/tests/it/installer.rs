//! Every form of installer that a kfp SDK writes; `fixtures/installer/generate.py` made the files.

use std::fs;
use std::path::Path;

use ferroflow_launcher::installer::{PythonTask, Requirements, recognise};
use serde_json::Value;

#[test]
fn each_compiled_form_is_read_as_its_component_was_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/installer");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let fixture: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let (command, args) = (words(&fixture["command"]), words(&fixture["args"]));
        let (found, expected) = (recognise(&command, &args), expected(&fixture));
        if found != expected {
            let name = path.file_name().unwrap().display();
            wrong.push(format!("{name}: found {found:#?}, expected {expected:#?}"));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 100, "only {count} fixtures");
}

fn expected(fixture: &Value) -> Option<PythonTask> {
    let expect = &fixture["expect"];
    if expect == "run as written" {
        return None;
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let requirements = match expect.as_object() {
        None => Requirements::default(),
        Some(_) => Requirements {
            packages: words(&expect["requirements"]),
            no_deps: expect["no_deps"].as_bool().unwrap(),
            index_url: text(&expect["index_url"]),
            extra_index_urls: words(&expect["extra_index_urls"]),
            trusted_hosts: words(&expect["trusted_hosts"]),
            use_venv: expect["use_venv"].as_bool().unwrap(),
        },
    };
    Some(PythonTask {
        source: words(&fixture["command"]).pop().unwrap(),
        function: "hello".to_owned(),
        executor_input: "{{$}}".to_owned(),
        requirements,
        kfp: text(&expect["kfp"]),
        runtime_flag: fixture["runner"] == "flagged",
    })
}

fn words(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// What a person, or a later SDK, may write in the place of a known text.
#[test]
fn deviations_are_not_recognised() {
    let plain = fixture("kfp-2.17.0-packages.json");
    let check = |from: &str, to: &str| {
        let command: Vec<String> = plain.0.iter().map(|word| word.replacen(from, to, 1)).collect();
        assert_ne!(command, plain.0, "`{from}` does not occur");
        assert_eq!(recognise(&command, &plain.1), None, "`{from}` became `{to}`");
    };
    assert!(recognise(&plain.0, &plain.1).is_some());
    check("'pandas==2.2.0'", "'pandas==2.2.0' > /dev/null");
    check("'pandas==2.2.0'", "$PACKAGES");
    check("'pandas==2.2.0'", "\"$PACKAGES\"");
    check("'pandas==2.2.0'", "pandas==2.2.0");
    check("'pandas==2.2.0'", "'pandas==2.2.0'; reboot");
    check("'pandas==2.2.0'", "'pandas==2.2.0' || true");
    check("'pandas==2.2.0'", "'pandas==2.2.0'\n");
    check("--quiet", "--quiet --pre");
    check("--quiet", "--user");
    check("apt-get", "apk");
    check("&& \"$0\" \"$@\"", "&& echo done && \"$0\" \"$@\"");
    check("_KFP_RUNTIME=true", "_KFP_RUNTIME=false");
    check("kfp.dsl.executor_main", "my.executor_main");
    check("sh", "bash");
    check("-ec", "-exc");
    let more = [plain.1.clone(), vec!["--more".to_owned()]].concat();
    assert_eq!(recognise(&plain.0, &more), None);
    assert_eq!(recognise(&[], &[]), None);
}

/// Resolved words carry the document itself.
#[test]
fn resolved_words_are_recognised_too() {
    let (command, mut args) = fixture("kfp-2.17.0-plain.json");
    args[1] = "{\"inputs\": {}}".to_owned();
    assert_eq!(recognise(&command, &args).unwrap().executor_input, args[1]);
}

fn fixture(name: &str) -> (Vec<String>, Vec<String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/installer").join(name);
    let fixture: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    (words(&fixture["command"]), words(&fixture["args"]))
}
