//! `airloom train` as a user meets it.

use assert_cmd::Command;

fn train(folder: &std::path::Path, arguments: &[&str]) -> std::process::Output {
    Command::cargo_bin("airloom")
        .unwrap()
        .args(["train", "--out"])
        .arg(folder)
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn a_short_training_writes_a_model_folder_and_prints_its_quality() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("model");
    let small = [
        "--hidden",
        "16",
        "--layers",
        "1",
        "--heads",
        "2",
        "--ffn",
        "16",
        "--steps",
        "3",
        "--documents",
        "2",
        "--held-out",
        "8",
    ];
    let output = train(&folder, &small);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}");
    assert!(
        told.contains("generator's") && told.contains("ratio"),
        "{told}"
    );
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(
        files,
        [
            "config.json",
            "loss.csv",
            "loss.svg",
            "model.safetensors",
            "tokenizer.json"
        ]
    );

    let again = train(&folder, &small);
    let message = String::from_utf8(again.stderr).unwrap();
    assert_eq!(again.status.code(), Some(2), "{message}");
    assert!(
        message.contains("holds a trained model already"),
        "{message}"
    );
}

#[test]
fn heads_that_do_not_divide_the_hidden_size_are_refused_and_leave_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("model");
    let output = train(&folder, &["--heads", "7"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(
        message.contains("`heads`: 7 heads do not divide"),
        "{message}"
    );
    assert!(!folder.exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let output = train(&file.join("model"), &[]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("file/model"), "{message}");
}

#[test]
fn a_short_training_of_a_mixtral_writes_a_folder_that_loads() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("model");
    let small = "--architecture mixtral --hidden 16 --layers 1 --heads 2 --ffn 8 --experts 4 \
                 --active 3 --steps 3 --documents 3 --questions 2 --held-out 8";
    let output = train(&folder, &small.split_whitespace().collect::<Vec<_>>());
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}");
    assert!(told.contains("by chance") && told.contains("tokens per expert"));
    let model = airloom::numerics::Mixtral::load(&folder).unwrap();
    let experts = model.shape().experts.unwrap();
    assert_eq!((experts.count, experts.active), (4, 3));

    let folder = parent.path().join("impossible");
    let output = train(
        &folder,
        &[
            "--architecture",
            "mixtral",
            "--experts",
            "2",
            "--active",
            "3",
        ],
    );
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(
        message.contains("3 of 2 experts cannot be active"),
        "{message}"
    );
}

#[test]
fn a_student_learns_from_a_teacher_and_a_model_gets_exits() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("student");
    let arguments = |text: &'static str| text.split_whitespace().collect::<Vec<_>>();
    let small = "--teacher models/tiny-llama --hidden 16 --layers 3 --heads 2 --ffn 16 --steps 3 \
                 --documents 2 --held-out 8";
    let output = train(&folder, &arguments(small));
    let told = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    assert!(
        told.contains("beside its teacher") && told.contains("overlap"),
        "{told}"
    );
    let weights = || std::fs::read(folder.join("model.safetensors")).unwrap();
    let before = weights();

    let exits = "--exits 2,1 --rank 4 --steps 3 --documents 2 --held-out 8";
    let output = train(&folder, &arguments(exits));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(told.contains("after 1") && told.contains("after 2") && told.contains("after 3"));
    assert!(weights() == before, "the model itself was changed");
    let model = airloom::numerics::Llama::load(&folder).unwrap();
    let heads = airloom::numerics::ExitHeads::load(&folder, &model)
        .unwrap()
        .unwrap();
    assert_eq!(heads.after(), [1, 2]);
    assert_eq!(heads.rank(2), Some(4));
    // The same settings give the same bytes.
    let file = || std::fs::read(folder.join(airloom::numerics::EXITS_FILE)).unwrap();
    let first = file();
    assert!(train(&folder, &arguments(exits)).status.success());
    assert!(file() == first);

    let output = train(&folder, &["--exits", "3"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(
        message.contains("`exits`: there is no exit after 3 of 3 layers"),
        "{message}"
    );
    let output = train(
        &folder,
        &["--teacher", "models/tiny-llama", "--vocabulary", "700"],
    );
    assert_eq!(output.status.code(), Some(2));
}
