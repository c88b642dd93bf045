//! Hierarchies that cannot be.

use super::{Desk, GOOD, refused};

#[test]
fn clusters_and_levels_that_cannot_be_are_refused_at_their_place() {
    refused(&[
        (
            "AirComp(streams: 2)",
            "Hierarchy(clusters: Equal(5))",
            &[
                "bad.ron:10:41: replicas[0].placement.all_reduce.clusters: 5 clusters of 4 devices, of which each needs one for its head; use 1 to 4",
            ],
        ),
        (
            "AirComp(streams: 2)",
            "Hierarchy(clusters: Equal(0))",
            &["bad.ron:10:41: replicas[0].placement.all_reduce.clusters: 0 clusters of 4 devices"],
        ),
        (
            "AirComp(streams: 2)",
            "Hierarchy(clusters: Listed([(members: [0, 1, 2, 3]), (members: [])]))",
            &[
                "bad.ron:10:84: replicas[0].placement.all_reduce.clusters[1].members: an empty cluster has no head",
            ],
        ),
        (
            "AirComp(streams: 2)",
            "Hierarchy(clusters: Listed([(members: [0, 1, 2]), (members: [3, 1])]))",
            &[
                "bad.ron:10:85: replicas[0].placement.all_reduce.clusters[1].members[1]: device 1 is in cluster 0 already",
            ],
        ),
        (
            "AirComp(streams: 2)",
            "Hierarchy(clusters: Listed([(members: [0, 1, 2, 9])]))",
            &[
                "bad.ron:10:69: replicas[0].placement.all_reduce.clusters[0].members[3]: no device 9 sums here; they are 0 to 3",
            ],
        ),
        (
            "AirComp(streams: 2)",
            "Hierarchy(clusters: Listed([(members: [0, 1, 3])]))",
            &[
                "bad.ron:10:41: replicas[0].placement.all_reduce.clusters: device 2 is in no cluster; add it to one",
            ],
        ),
        (
            "AirComp(streams: 2)",
            "Hierarchy(clusters: Listed([(members: [0, 1], head: 2), (members: [2, 3])]))",
            &[
                "bad.ron:10:73: replicas[0].placement.all_reduce.clusters[0].head: device 2 is not in its own cluster; name one of 0, 1",
            ],
        ),
        (
            "AirComp(streams: 2)",
            "Hierarchy(turns: AtOnce, clusters: Listed([(members: [0, 1], band: 0.7), (members: [2, 3], band: 0.4)]))",
            &[
                "bad.ron:10:56: replicas[0].placement.all_reduce.clusters: parts of the band add up to 1.1",
            ],
        ),
        (
            "AirComp(streams: 2)",
            "Hierarchy(clusters: Listed([(members: [0, 1], band: 0.5), (members: [2, 3], band: 0.5)]))",
            &[
                "bad.ron:10:73: replicas[0].placement.all_reduce.clusters[0].band: clusters take turns, each on the whole band",
            ],
        ),
        (
            "AirComp(streams: 2)",
            "Hierarchy(within: Ring())",
            &[
                "bad.ron:10:39: replicas[0].placement.all_reduce.within: Ring sends messages from node to node",
            ],
        ),
        (
            "AirComp(streams: 2)",
            "Hierarchy(within: AirComp(streams: 9))",
            &[
                "bad.ron:10:56: replicas[0].placement.all_reduce.within.streams: 9 streams, but each device has 4 antennas",
            ],
        ),
        (
            "AirComp(streams: 2)",
            "Hierarchy(within: AirComp(streams: 2), head_antennas: 1)",
            &[
                "bad.ron:10:56: replicas[0].placement.all_reduce.within.streams: 2 streams, but a head has 1 antennas",
            ],
        ),
        (
            "AirComp(streams: 2)",
            "Hierarchy(between: Hierarchy(clusters: Equal(3)))",
            &[
                "bad.ron:10:60: replicas[0].placement.all_reduce.between.clusters: 3 clusters of 2 devices",
            ],
        ),
        (
            "AirComp(streams: 2)",
            "Hierarchy(between: Digital(bits: 1))",
            &["bad.ron:10:54: replicas[0].placement.all_reduce.between.bits: "],
        ),
    ]);
}

#[test]
fn what_belongs_to_one_hub_is_refused_with_several_heads() {
    let desk = Desk::new();
    let levels = "replicas[0].placement.all_reduce=Hierarchy()";
    let each = "links.air.fading=Rayleigh(carrier: \"3.5 GHz\", distance: [\"9 m\", \"9 m\", \"9 m\", \"9 m\"])";
    let own = "replicas[0].placement.all_reduce.fading=Rician(mean: 1.0, variance: 1.0)";
    let message = desk.message(GOOD, &[levels, each]);
    let expected =
        "replicas[0].placement.all_reduce.fading: the link's channels are given device by device";
    assert!(message.contains(expected), "{message}");
    desk.load(GOOD, &[levels, each, own]).unwrap();

    let budget = "links.air.budget=Normalised(snr: \"10 dB\", reference_power: \"1 W\")";
    let joules = "links.air.convention=EnergyPerVector(energy: \"1 J\")";
    let message = desk.message(GOOD, &[levels, budget, joules]);
    let expected = "replicas[0].placement.all_reduce: with links.air.convention: EnergyPerVector";
    assert!(message.contains(expected), "{message}");

    let shares = "replicas[0].placement.assignment=StochasticSca()";
    let message = desk.message(GOOD, &[levels, budget, joules, shares]);
    assert!(
        message.contains("replicas[0].placement.assignment: "),
        "{message}"
    );
}

#[test]
fn analog_levels_want_a_radio() {
    let wires =
        "links={\"lan\": Switch(members: [\"device\"], rate: \"1 Gbit/s\", delay: \"1 us\")}";
    let placement = "replicas[0].placement=TensorParallel(over: \"device\", at: \"device0\", all_reduce: Hierarchy())";
    let message = Desk::new().message(GOOD, &[wires, placement]);
    let expected =
        "replicas[0].placement.all_reduce: Hierarchy goes through the air, and no Radio joins";
    assert!(message.contains(expected), "{message}");
}
