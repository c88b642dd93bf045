//! What a scenario implies, and what its names mean.

use airloom::medium::Link;
use airloom::placement::{Placed, Placement};
use airloom::scenario::{self, Override, Resolved};
use airloom::topology::{Ends, NodeId};
use std::path::Path;

fn resolve(nodes: &str, rest: &str, changes: &[&str]) -> Resolved {
    let text = format!(
        "Scenario(model: Shape(\"llama-2-7b\"), nodes: {nodes}, {rest} workload: [Tokens(prompt: 8)])"
    );
    let changes: Vec<Override> = changes.iter().map(|c| c.parse().unwrap()).collect();
    scenario::parse(&text, Path::new("x.ron"), &changes).unwrap_or_else(|error| panic!("{error}"))
}

fn names(resolved: &Resolved) -> Vec<&str> {
    let nodes = resolved.topology.nodes.iter();
    nodes.map(|node| node.name.as_str()).collect()
}

const FEW: &str = "{\"device\": (count: 2)}";

#[test]
fn a_group_implies_a_server_a_cell_and_a_replica() {
    let resolved = resolve(FEW, "", &[]);
    assert_eq!(names(&resolved), ["device0", "device1", "server"]);
    assert_eq!(resolved.topology.nodes[2].label, "edge-server-l4");
    let [link] = resolved.topology.links.as_slice() else {
        panic!("one link is implied");
    };
    let (hub, members) = (NodeId(2), vec![NodeId(0), NodeId(1)]);
    assert_eq!(link.name, "air");
    assert_eq!(link.ends, Ends::Cell { hub, members });
    let Placed::Tensor {
        path,
        members,
        at,
        link,
        ..
    } = &resolved.replicas[0]
    else {
        panic!("tensor parallelism is implied");
    };
    assert_eq!(path, "replicas[0].placement.TensorParallel");
    assert_eq!(
        (members.as_slice(), *at),
        (&[NodeId(0), NodeId(1)][..], NodeId(2))
    );
    assert_eq!(*link, resolved.topology.link("air"));
    assert_eq!(resolved.in_flight(0), 1);
    // The same, written out.
    let written = resolve(
        "{\"device\": (count: 2), \"server\": (profile: Preset(\"edge-server-l4\"))}",
        "links: {\"air\": Radio()}, replicas: [(placement: TensorParallel())],",
        &[],
    );
    assert_eq!(written.scenario, resolved.scenario);
    assert_eq!(written.configuration(), resolved.configuration());
}

#[test]
fn one_node_holds_the_whole_model() {
    let resolved = resolve("{\"box\": ()}", "", &[]);
    assert_eq!(names(&resolved), ["box"]);
    assert!(resolved.topology.links.is_empty());
    let path = "replicas[0].placement.Single".to_owned();
    assert_eq!(
        resolved.replicas,
        [Placed::Single {
            path,
            at: NodeId(0)
        }]
    );
}

#[test]
fn a_change_may_name_what_is_implied() {
    let resolved = resolve(
        FEW,
        "",
        &[
            "links.air.bandwidth=20 MHz",
            "nodes.server.profile=Preset(\"server-4-a40\")",
            "replicas[0].in_flight=3",
            "replicas[0].placement.all_reduce=Ideal",
        ],
    );
    let air = resolved.topology.link("air").unwrap();
    assert_eq!(resolved.radio(air).bandwidth.0, 20e6);
    assert_eq!(resolved.topology.nodes[2].label, "server-4-a40");
    assert_eq!(resolved.in_flight(0), 3);
    let swept = resolve(
        FEW,
        "sweep: (axes: [(path: \"links.air.bandwidth\", values: [\"1 MHz\", \"2 MHz\"]), \
         (path: \"replicas[0].placement\", values: [TensorParallel(), Single(at: \"server\")])]),",
        &[],
    );
    let points = scenario::points(&swept).unwrap();
    let last = points[3].resolve().unwrap();
    assert_eq!(last.radio(air).bandwidth.0, 2e6);
    assert!(matches!(
        last.scenario.replicas[0].placement,
        Placement::Single(_)
    ));
}

/// A link that is added takes the place of the one that would be implied.
#[test]
fn a_link_that_is_added_leaves_nothing_to_be_implied() {
    let resolved = resolve(FEW, "", &["links.cell=Radio(bandwidth: \"5 MHz\")"]);
    let links: Vec<&str> = resolved.scenario.links.keys().map(String::as_str).collect();
    assert_eq!(links, ["cell"]);
    let Link::Radio(radio) = &resolved.scenario.links["cell"] else {
        panic!("it is a radio");
    };
    assert_eq!(radio.bandwidth.0, 5e6);
}

#[test]
fn nodes_are_counted_by_group_and_number_and_links_by_name() {
    let resolved = resolve(
        "{\"phone\": (count: 11), \"edge\": (), \"cloud\": ()}",
        "links: {\"b\": Radio(hub: \"edge\"), \"a\": Wire(between: (\"edge\", \"cloud\"), \
         rate: \"1 Gbit/s\", delay: \"1 ms\")}, replicas: [(placement: Pipeline(stages: [\
         TensorParallel(), Single(at: \"cloud\")]))],",
        &[],
    );
    let expected = ["cloud", "edge", "phone0", "phone1", "phone2"];
    assert_eq!(names(&resolved)[..5], expected);
    assert_eq!(names(&resolved)[12], "phone10");
    let links: Vec<&str> = resolved
        .topology
        .links
        .iter()
        .map(|l| l.name.as_str())
        .collect();
    assert_eq!(links, ["a", "b"]);
    let stages = resolved.replicas[0].stages();
    assert_eq!(
        stages[0].path(),
        "replicas[0].placement.Pipeline.stages[0].TensorParallel"
    );
    assert_eq!(stages[0].members().len(), 11);
    assert_eq!(stages[1].at(), NodeId(0));
    assert_eq!(resolved.in_flight(0), 2);
    let over = "replicas: [(placement: Pipeline(over: \"phone\"))],";
    let resolved = resolve("{\"phone\": (count: 3)}", over, &[]);
    let at: Vec<u16> = resolved.replicas[0]
        .stages()
        .iter()
        .map(|stage| stage.at().0)
        .collect();
    assert_eq!(at, [0, 1, 2]);
}
