use super::*;
use std::fs;
use tempfile::TempDir;

#[derive(Debug)]
struct Same;

impl Replaceable for Same {
    fn may_replace(&self, _: &Path) -> Result<(), Occupant> {
        Ok(())
    }
}

#[derive(Debug)]
struct Other;

impl Replaceable for Other {
    fn may_replace(&self, _: &Path) -> Result<(), Occupant> {
        Err("another scenario's run".into())
    }
}

fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_dropped_staging_leaves_nothing_behind() {
    let root = TempDir::new().unwrap();
    let mut staging = Staging::new(&root.path().join("a/b/run"), Same).unwrap();
    staging.write("x.csv", b"1").unwrap();
    drop(staging);
    assert!(entries(root.path()).is_empty());
}

#[test]
fn a_committed_folder_is_whole_and_alone() {
    let root = TempDir::new().unwrap();
    let target = root.path().join("a/run");
    for content in [b"1", b"2"] {
        let mut staging = Staging::new(&target, Same).unwrap();
        staging.write("x.csv", content).unwrap();
        staging.commit().unwrap();
        assert_eq!(fs::read(target.join("x.csv")).unwrap(), content);
    }
    assert_eq!(entries(&root.path().join("a")), ["run"]);
    assert_eq!(entries(&target), ["x.csv"]);
}

#[test]
#[cfg(unix)]
fn a_symbolic_link_is_followed_and_stays_one() {
    use std::os::unix::fs::symlink;
    let root = TempDir::new().unwrap();
    let at = |name: &str| root.path().join(name);
    fs::create_dir(at("scratch")).unwrap();
    symlink("scratch", at("link")).unwrap();
    for (given, content) in [("link", b"1"), ("link/", b"2")] {
        let mut staging = Staging::new(&at(given), Same).unwrap();
        staging.write("x.csv", content).unwrap();
        assert_eq!(staging.commit().unwrap(), at(given));
        assert!(at("link").is_symlink());
        assert_eq!(fs::read(at("scratch/x.csv")).unwrap(), content);
    }
    assert_eq!(entries(root.path()), ["link", "scratch"]);
    symlink("nowhere", at("broken")).unwrap();
    symlink("loop", at("loop")).unwrap();
    for broken in ["broken", "broken/run", "loop"] {
        let error = Staging::new(&at(broken), Same).unwrap_err();
        assert!(error.to_string().contains("leads nowhere"), "{error}");
    }
}

#[test]
fn a_folder_that_another_process_finished_meanwhile_is_replaced_if_it_may_be() {
    let root = TempDir::new().unwrap();
    let target = root.path().join("run");
    let finish = |content: &[u8]| {
        let mut staging = Staging::new(&target, Same).unwrap();
        staging.write("x.csv", content).unwrap();
        staging
    };
    let (first, second) = (finish(b"1"), finish(b"2"));
    first.commit().unwrap();
    second.commit().unwrap();
    assert_eq!(fs::read(target.join("x.csv")).unwrap(), b"2");
    fs::remove_dir_all(&target).unwrap();
    let late = Staging::new(&target, Other).unwrap();
    finish(b"3").commit().unwrap();
    assert!(matches!(
        late.commit().unwrap_err(),
        FolderError::Occupied { .. }
    ));
    assert_eq!(fs::read(target.join("x.csv")).unwrap(), b"3");
    assert_eq!(entries(root.path()), ["run"]);
}

#[test]
fn a_foreign_folder_is_refused_and_untouched() {
    let root = TempDir::new().unwrap();
    let target = root.path().join("run");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("thesis.txt"), "mine").unwrap();
    let error = Staging::new(&target, Other).unwrap_err().to_string();
    assert!(error.contains("another scenario's run"), "{error}");
    assert_eq!(entries(root.path()), ["run"]);
}

#[test]
fn a_digest_is_that_of_the_bytes_on_disk() {
    let root = TempDir::new().unwrap();
    let mut staging = Staging::new(&root.path().join("run"), Same).unwrap();
    staging.write("x.csv", b"abc").unwrap();
    // BLAKE3's published test vector for "abc".
    assert_eq!(
        staging.files()[0].blake3,
        "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"
    );
    assert_eq!(staging.files()[0].bytes, 3);
}
