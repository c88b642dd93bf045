//! What has no effect on layers that are divided.

use super::{Remark, Use, idle};
use crate::placement::TensorParallel;
use crate::radio::{
    AllReduce, Coding, Csi, Doppler, Downlink, LinkRate, RadioConfig, SubchannelPower, Symbols,
    Synchronisation, Turns,
};

/// What is remarkable about a radio and a placement over it.
pub(super) fn remarks(usage: &Use<'_>, parallel: &TensorParallel) -> Vec<Remark> {
    let radio = usage.radio;
    let link = |field: &str| usage.of_link(field);
    let all_reduce = usage.of_placement("all_reduce");
    let scheme = parallel.all_reduce.name();
    let mut remarks = Vec::new();
    let mut idle = |path, decided_by: &[String], why: &str| {
        remarks.push(idle(path, decided_by, why));
    };
    let symbols = parallel.all_reduce.symbols();
    let levels = || {
        let levels = parallel.all_reduce.levels().into_iter();
        levels.map(AllReduce::symbols)
    };
    if !levels().any(|symbols| matches!(symbols, Symbols::Combined { .. })) {
        idle(
            usage.of_placement("design"),
            std::slice::from_ref(&all_reduce),
            &format!("only AirComp combines over the air, and all_reduce is {scheme}"),
        );
    }
    let tracked = levels().all(|symbols| {
        matches!(
            symbols,
            Symbols::Bits { .. } | Symbols::Silent | Symbols::Messages
        )
    });
    if tracked && radio.synchronisation != Synchronisation::default() {
        idle(
            link("synchronisation"),
            std::slice::from_ref(&all_reduce),
            &format!("only analog symbols feel these errors, and all_reduce is {scheme}"),
        );
    }
    let Csi { doppler, delay, .. } = radio.csi;
    if delay.0 > 0.0 && doppler.0 == 0.0 && radio.doppler == Doppler::Off {
        let (of_csi, own) = (link("csi.doppler"), link("doppler"));
        let why = format!(
            "channels without Doppler do not age; give {of_csi} too, for example \"30 Hz\", or {own}"
        );
        idle(link("csi.delay"), &[of_csi, own], &why);
    }
    if doppler.0 > 0.0 && delay.0 == 0.0 {
        let delay = link("csi.delay");
        let why = format!(
            "channels are used the moment they are measured; give {delay} too, for example \
             \"1 ms\""
        );
        idle(link("csi.doppler"), &[delay], &why);
    }
    if let Some(levels) = parallel.all_reduce.hierarchy()
        && levels.turns == Turns::InTurn
        && levels.part_power != SubchannelPower::default()
    {
        let turns = format!("{all_reduce}.turns");
        let why = format!(
            "clusters take turns, each on the whole band; with {turns}: AtOnce each has a part of it"
        );
        idle(format!("{all_reduce}.part_power"), &[turns], &why);
    }
    let lone = link("lone_device_transmits");
    if usage.is_silent_alone() {
        let why = format!(
            "one device alone has nothing to add and sends nothing; with {lone}: true it sends \
             to the hub"
        );
        idle(usage.link.clone(), &[usage.count(), lone.clone()], &why);
    }
    if symbols == Symbols::Silent {
        idle(
            usage.link.clone(),
            std::slice::from_ref(&all_reduce),
            "all_reduce is Ideal, an exact sum in no time, and nothing is sent",
        );
    }
    for (field, why) in without_rate(parallel, radio) {
        idle(link(field), &[all_reduce.clone(), link("downlink")], why);
    }
    let devices = usage.members.len();
    if radio.lone_device_transmits && devices > 1 {
        idle(
            lone,
            &[usage.count()],
            &format!("there are {devices} devices"),
        );
    }
    remarks
}

/// What of the radio no transfer of `parallel` reads, as none of them follows its channels.
fn without_rate(
    parallel: &TensorParallel,
    radio: &RadioConfig,
) -> Vec<(&'static str, &'static str)> {
    let fixed = |rate| matches!(rate, LinkRate::Fixed(_));
    if matches!(
        parallel.all_reduce.symbols(),
        Symbols::Silent | Symbols::Messages
    ) {
        return Vec::new();
    }
    // Whether there is a digital link, and whether its rate is that of a channel.
    let levels = parallel.all_reduce.levels().into_iter();
    let uplinks: Vec<Option<bool>> = levels
        .map(|scheme| match scheme.symbols() {
            Symbols::Bits { drawn_rate } => Some(drawn_rate),
            _ => None,
        })
        .collect();
    let drawn = uplinks.contains(&Some(true)).then_some(true);
    let uplink = drawn.or(uplinks.iter().copied().find_map(|rate| rate));
    let analog = uplinks.contains(&None);
    let downlink = match radio.downlink {
        Downlink::Ideal => None,
        Downlink::Multicast { rate, .. } => Some(!fixed(rate)),
    };
    let digital = uplink.or(downlink).is_some();
    let follows = uplink == Some(true) || downlink == Some(true);
    let mut unread = Vec::new();
    let Coding { gap, ceiling, .. } = radio.coding;
    if !digital && radio.coding != Coding::default() {
        unread.push((
            "coding",
            "no link is digital, whose capacity it would change",
        ));
    } else if !follows && (gap.0 > 0.0 || ceiling.is_some()) {
        let why = "gap and ceiling are those of drawn rates, and every rate is Fixed";
        unread.push(("coding", why));
    }
    if uplink == Some(false) && !analog && !follows {
        let why = "every link has a Fixed rate, whatever its channel";
        unread.extend([("fading", why), ("doppler", why)]);
    }
    unread
}
