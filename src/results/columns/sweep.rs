//! The tables of sweeps, of drawn channels and of training.

use super::{Column, Table};

pub(super) const TABLES: &[Table] = &[
    Table {
        file: "points.csv",
        row: "one per point of a sweep and repetition",
        present: "always, in the folder of a sweep",
        columns: POINTS,
    },
    Table {
        file: "aggregates.csv",
        row: "one per setting of a sweep and metric that one of its runs measured",
        present: "always, in the folder of a sweep",
        columns: AGGREGATES,
    },
    Table {
        file: "channel.csv",
        row: "one per device, over all blocks drawn",
        present: "`airloom channel` wrote the folder",
        columns: CHANNEL,
    },
    Table {
        file: "autocorrelation.csv",
        row: "one per lag between blocks",
        present: "`airloom channel` wrote the folder, and the channels have Doppler",
        columns: AUTOCORRELATION,
    },
    Table {
        file: "loss.csv",
        row: "one per few steps of training",
        present: "`airloom train` wrote the folder",
        columns: LOSS,
    },
];

const POINTS: &[Column] = columns! {
    "point" "" "the point's number in the order of the axes";
    "run" "" "the repetition: which random substream it draws from";
    "folder" "" "its run folder, named by a digest of what it is: the resolved scenario, the seed and the run; empty if it is not done";
    "<field>" "its name's" "one for every field that the sweep varies, named by its path: a number, with the unit at the end of the name if it has one, such as links.air.bandwidth_hz, or a text";
    "status" "" "done, infeasible or failed";
    "reason" "" "why it is not done; else empty";
    "<metric>" "as the metric's" "one for every metric that a point measured";
};

const AGGREGATES: &[Column] = columns! {
    "<field>" "its name's" "one for every field that the sweep varies, as in points.csv";
    "metric" "" "the metric";
    "unit" "" "its unit";
    "count" "" "runs that measured it";
    "mean" "the row's" "their mean";
    "half_width_95" "the row's" "half the 95 % confidence interval of the mean, by Student's t; empty for a single run";
};

const CHANNEL: &[Column] = columns! {
    "device" "" "the device, counted from 0";
    "entries" "" "channel entries over all blocks";
    "mean_gain_db" "dB" "10 log₁₀ of the mean |h|² drawn; empty if nothing arrives";
    "model_gain_db" "dB" "10 log₁₀ (μ² + σ²)";
    "rice_factor_db" "dB" "10 log₁₀ (μ²/σ²); empty without a line of sight or without scattering";
    "amplitude_ks" "1" "Kolmogorov–Smirnov distance of the amplitudes from the model's distribution; of a trace, from Rice's of its moments";
    "capacity_bit_per_s_hz" "bit/s/Hz" "mean capacity at the scenario's power and noise, the transmitter not knowing the channel";
    "largest_singular_value" "1" "root mean square of the largest singular value";
    "smallest_singular_value" "1" "root mean square of the smallest one";
    "condition_db" "dB" "mean of 20 log₁₀ of largest over smallest; empty if a block has no full rank";
    "line_of_sight" "" "whether the device sees the server, where the model draws that";
    "path_loss_db" "dB" "path loss, where the model has one for each device";
    "shadowing_db" "dB" "shadow fading, likewise";
};

const AUTOCORRELATION: &[Column] = columns! {
    "lag_s" "s" "τ";
    "real" "1" "Re E(h(t) − μ)(h(t − τ) − μ)*/σ², over all entries, devices and times";
    "imaginary" "1" "its imaginary part";
    "theory" "1" "J₀(2π f_D τ)";
};

const LOSS: &[Column] = columns! {
    "step" "" "the last of the steps";
    "tokens" "" "predicted tokens so far";
    "learning_rate" "1" "learning rate of that step";
    "train_nats_per_token" "nat" "mean −ln p per predicted token since the last row";
    "held_out_nats_per_token" "nat" "the model on held-out text; empty without an evaluation";
    "generator_nats_per_token" "nat" "the text's own entropy there; likewise";
};
