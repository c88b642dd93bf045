//! What of a hierarchy cannot be is refused at its place.

use super::hierarchy::{OVER_THE_AIR, cluster, levels, two_levels};
use crate::{SEEDS, air, config, slices, tensors};
use airloom::policy::Descent;
use airloom::radio::{
    Air, Cluster, Clusters, Fading, Hierarchy, LinkBudget, PowerConvention, RadioConfig,
    RadioError, Scheme, Star, Trace, Turns,
};
use airloom::units::{Decibels, Instant, Joules};

#[test]
fn what_cannot_be_is_refused_at_its_place() {
    let listed = |clusters: &[Cluster]| {
        let within = Scheme::AirComp(OVER_THE_AIR);
        levels(
            Clusters::Listed(clusters.to_vec()),
            within,
            Scheme::default(),
        )
    };
    let at_once = |bands: [Option<f64>; 2]| Hierarchy {
        turns: Turns::AtOnce,
        ..listed(&[
            Cluster {
                band: bands[0],
                ..cluster(&[0, 1], None)
            },
            Cluster {
                band: bands[1],
                ..cluster(&[2, 3], None)
            },
        ])
    };
    let trace = Fading::Trace(Trace {
        file: "h.npy".to_owned(),
        past_end: airloom::radio::PastEnd::Wrap,
    });
    let cases: Vec<(Hierarchy, &str, &str)> = vec![
        (two_levels(0), "clusters", "0 clusters of 4 devices"),
        (two_levels(5), "clusters", "5 clusters of 4 devices"),
        (
            listed(&[cluster(&[0, 1, 2, 3], None), cluster(&[], None)]),
            "clusters[1].members",
            "an empty cluster has no head",
        ),
        (
            listed(&[cluster(&[0, 1, 2], None), cluster(&[3, 1], None)]),
            "clusters[1].members[1]",
            "device 1 is in cluster 0 already",
        ),
        (
            listed(&[cluster(&[0, 1, 2, 4], None)]),
            "clusters[0].members[3]",
            "no device 4 sums here; they are 0 to 3",
        ),
        (
            listed(&[cluster(&[0, 1, 3], None)]),
            "clusters",
            "device 2 is in no cluster",
        ),
        (
            listed(&[cluster(&[0, 1], Some(2)), cluster(&[2, 3], None)]),
            "clusters[0].head",
            "device 2 is not in its own cluster; name one of 0, 1",
        ),
        (at_once([Some(0.6), Some(0.5)]), "clusters", "add up to 1.1"),
        (at_once([Some(0.5), None]), "clusters[1]", "give every one"),
        (
            at_once([Some(0.0), Some(0.5)]),
            "clusters[0].band",
            "a part of 0 of the band",
        ),
        (
            Hierarchy {
                turns: Turns::InTurn,
                ..at_once([Some(0.5), Some(0.5)])
            },
            "clusters[0].band",
            "clusters take turns",
        ),
        (
            levels(
                Clusters::Equal(2),
                Scheme::Star(Star::default()),
                Scheme::default(),
            ),
            "within",
            "Star sends messages",
        ),
        (
            levels(
                Clusters::Equal(2),
                Scheme::default(),
                Scheme::Star(Star::default()),
            ),
            "between",
            "Star sends messages",
        ),
        (
            levels(
                Clusters::Equal(2),
                Scheme::Hierarchy(two_levels(1)),
                Scheme::default(),
            ),
            "within",
            "put further levels in `between`",
        ),
        (
            Hierarchy {
                between: Box::new(Scheme::Hierarchy(two_levels(3))),
                ..two_levels(2)
            },
            "between.clusters",
            "3 clusters of 2 devices",
        ),
        (
            levels(
                Clusters::Equal(2),
                Scheme::default(),
                Scheme::Hierarchy(listed(&[cluster(&[0, 1], None)])),
            ),
            "between.clusters[0].members[1]",
            "no device 1 sums here; they are 0, 2",
        ),
        (
            Hierarchy {
                head_antennas: Some(3),
                ..two_levels(2)
            },
            "within.streams",
            "a head has 3 antennas",
        ),
        (
            Hierarchy {
                head_antennas: Some(0),
                ..two_levels(2)
            },
            "head_antennas",
            "hears nothing",
        ),
        (
            Hierarchy {
                budget: Some(LinkBudget::Normalised {
                    snr: Decibels(f64::NAN),
                    reference_power: None,
                }),
                ..two_levels(2)
            },
            "budget.snr",
            "beyond any radio",
        ),
        (
            Hierarchy {
                fading: Some(trace),
                ..two_levels(2)
            },
            "fading",
            "a trace holds the channels to one hub",
        ),
    ];
    for (hierarchy, path, message) in cases {
        let opened = Air::new(
            config(10.0),
            Scheme::Hierarchy(hierarchy.clone()),
            Box::new(Descent::default()),
            4,
            SEEDS,
        );
        let RadioError::Field(fault) = opened.unwrap_err() else {
            panic!("{hierarchy:?}");
        };
        assert_eq!(fault.path, path, "{hierarchy:?}: {fault}");
        assert!(fault.message.contains(message), "{fault}");
    }
}

/// Whoever sends no number is named by its own number, wherever it sends.
#[test]
fn a_fault_names_the_device() {
    for device in [1, 4, 7] {
        let mut parts = tensors(9, 64, 9);
        parts[device][5] = f32::NAN;
        let mut air = air(config(10.0), Scheme::Hierarchy(two_levels(3)), 9);
        let round = air.round(0, Instant::ZERO).unwrap();
        let fault = round.reduce(&slices(&parts), &mut [0.0; 64]).unwrap_err();
        let expected = format!("device {device} sent NaN as entry 5");
        assert!(fault.to_string().starts_with(&expected), "{fault}");
    }
}

#[test]
fn budgets_in_joules_per_vector_have_no_heads() {
    let config = RadioConfig {
        convention: PowerConvention::EnergyPerVector {
            energy: Joules(1.0),
            charge: airloom::radio::Charge::Weights,
        },
        ..config(10.0)
    };
    let scheme = Scheme::Hierarchy(two_levels(2));
    let opened = Air::new(config, scheme, Box::new(Descent::default()), 4, SEEDS);
    let error = opened.unwrap_err().to_string();
    assert!(error.starts_with("convention: heads send"), "{error}");
}
