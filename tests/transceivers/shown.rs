//! The manual's table of designs has the numbers that `cargo bench --bench transceivers`
//! prints.

use crate::table::{FLEETS, cell, mean, rows};

#[test]
fn the_manuals_table_of_designs_is_what_they_do() {
    let page = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/manual/tensor_parallelism.md"
    );
    let page = std::fs::read_to_string(page).unwrap();
    let (_, table) = page.split_once("```text\n").unwrap();
    let (table, _) = table.split_once("```").unwrap();
    let mut lines = table.lines();
    let fleets: Vec<&str> = lines.next().unwrap().split_whitespace().skip(1).collect();
    assert_eq!(fleets, FLEETS.map(|devices| devices.to_string()));
    let rows = rows();
    let mut shown = 0;
    for line in lines {
        // Names have single blanks at most.
        let (name, numbers) = line.trim_start().split_once("  ").unwrap();
        let (_, value) = rows.iter().find(|(row, _)| row == name).unwrap();
        let now = FLEETS.map(|devices| cell(mean(value, devices, 1.0)));
        let then: Vec<&str> = numbers.split_whitespace().take(FLEETS.len()).collect();
        assert_eq!(
            then, now,
            "{name}: take the row from cargo bench --bench transceivers"
        );
        shown += 1;
    }
    assert_eq!(shown, rows.len() - 1, "all but the value of the relaxation");
}
