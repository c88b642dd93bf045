//! The tables of a run folder.

use super::{Column, Table};

pub(super) const TABLES: &[Table] = &[
    Table {
        file: "events.csv",
        row: "one per executed task, in the order in which they ended",
        present: "the scenario says `trace: Full`",
        columns: EVENTS,
    },
    Table {
        file: "events_summary.csv",
        row: "one per stage, kind and resource, over all its tasks",
        present: "the scenario says `trace: Summary`",
        columns: EVENTS_SUMMARY,
    },
    Table {
        file: "tensors.digest",
        row: "one per tensor that travelled, and per row of logits",
        present: "the scenario says `trace: Full`",
        columns: TENSORS,
    },
    Table {
        file: "requests.csv",
        row: "one per request",
        present: "always, in a run folder",
        columns: REQUESTS,
    },
    Table {
        file: "answers.csv",
        row: "one per multiple-choice question",
        present: "a Choose request was served",
        columns: ANSWERS,
    },
    Table {
        file: "exits.csv",
        row: "one per decoded token after a request's first",
        present: "a replica decodes with EarlyExit",
        columns: EXITS,
    },
    Table {
        file: "rounds.csv",
        row: "one per draft that was verified",
        present: "a replica decodes with Speculative and something was drafted",
        columns: ROUNDS,
    },
    Table {
        file: "first_answers.csv",
        row: "one per answer that a small model gave or began",
        present: "a replica decodes with Cascade",
        columns: FIRST_ANSWERS,
    },
    Table {
        file: "tokens.csv",
        row: "one per forward pass: a prefill, a decode step, a scored window, a choice or a batch",
        present: "`trace` is `Full` or `Summary`",
        columns: TOKENS,
    },
    Table {
        file: "batches.csv",
        row: "one per forward pass of a replica and request in it",
        present: "`trace` is `Full` or `Summary`",
        columns: BATCHES,
    },
    Table {
        file: "load.csv",
        row: "one per replica and stretch of time, of which there are at most 512, all equally long but the last; a run that outgrows them doubles them, from 2²⁰ ps on",
        present: "the workload has two requests or more",
        columns: LOAD,
    },
    Table {
        file: "nodes.csv",
        row: "one per node over the whole run",
        present: "always, in a run folder",
        columns: NODES,
    },
    Table {
        file: "blocks.csv",
        row: "one per all-reduce, or per block of spread experts",
        present: "`trace` is `Full` or `Summary`",
        columns: BLOCKS,
    },
    Table {
        file: "waits.csv",
        row: "one per block of spread experts and node with tokens",
        present: "`trace` is `Full` or `Summary`, and experts are spread over nodes",
        columns: WAITS,
    },
    Table {
        file: "experts.csv",
        row: "one per block and expert",
        present: "`trace` is `Full` or `Summary`, and experts are spread over nodes",
        columns: EXPERTS,
    },
    Table {
        file: "expert_pairs.csv",
        row: "one per kind of text and layer: its most frequent pair of experts",
        present: "`trace` is `Full` or `Summary`, experts are spread over nodes and tokens visit two or more",
        columns: EXPERT_PAIRS,
    },
    Table {
        file: "assignment.csv",
        row: "one per node for every iterate, for the shares asked for, and for what whole heads and columns made of them",
        present: "the model is divided other than equally",
        columns: ASSIGNMENT,
    },
];

const EVENTS: &[Column] = columns! {
    "number" "" "the task: its place in this order, counted from 0";
    "batch" "" "the forward pass that it served, counted from 0; batches.csv says whose; empty for delays before a request";
    "layer" "" "the layer of the model, counted from 0; empty outside the layers";
    "stage" "" "what part of a pass the task is, such as mlp or attention_uplink";
    "node" "" "the node that worked; empty for barriers";
    "peer" "" "the other end of a transmission; empty if that is several, or it is none";
    "sequence" "" "tells apart tasks that agree in all else; with the five before it the task's key";
    "resource" "" "what the task occupied, such as device3.compute; empty for delays and barriers";
    "kind" "" "compute, uplink, downlink, transfer (over a wire), overhead or barrier";
    "ready_ps" "ps" "when its inputs were there";
    "start_ps" "ps" "when it started";
    "end_ps" "ps" "when it ended";
    "inputs" "" "the tasks that it waited for, with blanks between them; those that had ended before it was planned are left out, unless no other is left: then the one to whose end it was the answer";
    "released_by" "" "the task at whose end it started; empty for the first";
    "reason" "" "what it had waited for: input, resource (its inputs were there, its resource was taken) or barrier";
    "flops" "FLOP" "floating-point operations";
    "bytes" "B" "bytes read and written in memory";
    "bits" "bit" "bits sent";
    "joules" "J" "energy; 0 where the scenario cannot state it";
};

const EVENTS_SUMMARY: &[Column] = columns! {
    "stage" "" "what part of a pass the tasks are";
    "kind" "" "compute, uplink, downlink, transfer, overhead or barrier";
    "resource" "" "what they occupied";
    "tasks" "" "how many there were";
    "queued_ps" "ps" "Σ (start − ready)";
    "service_ps" "ps" "Σ (end − start)";
    "flops" "FLOP" "sum over the tasks";
    "bytes" "B" "sum over the tasks";
    "bits" "bit" "sum over the tasks";
    "joules" "J" "sum over the tasks";
};

const TENSORS: &[Column] = columns! {
    "request" "" "the request, counted from 0 in the workload";
    "step" "" "the pass within the request, counted from 0";
    "layer" "" "the layer; empty for logits";
    "stage" "" "what the tensor is, such as mlp_reduced or logits";
    "node" "" "the node whose partial output it is; else empty";
    "row" "" "the row of logits; else empty";
    "shape" "" "rows × columns";
    "digest" "" "XXH3 with 64 bits of the little-endian f32 entries, in hexadecimal";
    "v0" "" "the first entry";
    "v1" "" "the second entry";
    "v2" "" "the third entry";
    "v3" "" "the fourth entry";
};

const REQUESTS: &[Column] = columns! {
    "request" "" "the request, counted from 0 in the workload";
    "mode" "" "score, generate, choose or tokens";
    "from" "" "the node that asked; empty if it arose where it is served";
    "replica" "" "the copy of the model that served it last, counted from 0";
    "priority" "" "its class; smaller ones go first where the order is by priority";
    "arrival_ps" "ps" "when it was submitted";
    "start_ps" "ps" "when it was admitted: its first pass began; empty if none did";
    "first_token_ps" "ps" "when its first token was delivered; of generate, and of tokens the end of the first pass";
    "end_ps" "ps" "when its last token was delivered, or it was rejected";
    "queueing_s" "s" "start − arrival";
    "ttft_s" "s" "first token − arrival";
    "tpot_s" "s" "(end − first token) / (output tokens − 1); empty below two output tokens";
    "longest_gap_s" "s" "the longest time between two of its tokens; empty below two";
    "e2e_latency_s" "s" "end − arrival; empty if it was rejected";
    "goal_met" "" "whether it met every goal of the scenario; empty without goals";
    "rejected" "" "why it was turned away; else empty";
    "preemptions" "" "how often it had to leave and wait again";
    "recomputed_tokens" "" "tokens that were read again because their cache had been given up";
    "reused_tokens" "" "tokens of its prompt that were not read because another request's cache held them";
    "input_tokens" "" "tokens of the prompt, or of the text that was read, for every choice of a question anew; none that were generated";
    "output_tokens" "" "tokens generated; of mode tokens, passes";
    "scored_tokens" "" "tokens whose likelihood was taken";
    "perplexity" "1" "exp(Σ −ln p / scored tokens); only of score";
    "source_perplexity" "1" "the same for the process that generated the text, if that is known";
    "energy_j" "J" "energy of its passes on all nodes, computing and radiating, a batch's divided by tokens; idling is nobody's";
    "energy_first_token_j" "J" "the part of it up to its first token";
    "text" "" "the generated text; only of generate";
};

const ANSWERS: &[Column] = columns! {
    "request" "" "the request, counted from 0 in the workload";
    "question" "" "the question within its request, counted from 0";
    "suite" "" "the suite that it is from";
    "choices" "" "answers to choose from";
    "answer" "" "the right one, counted from 0";
    "chosen" "" "the one with the highest likelihood";
    "right" "" "whether that is the right one";
    "margin_nats" "nat" "−ln p of the best wrong answer minus that of the right one; below 0 if the choice is wrong";
};

const EXITS: &[Column] = columns! {
    "request" "" "the request, counted from 0 in the workload";
    "step" "" "the pass within the request, counted from 0";
    "layers" "" "layers that the token went through";
    "of_layers" "" "layers of the model";
    "margin" "" "difference of the two greatest probabilities at the exit that it took; empty if it took none";
    "agrees" "" "whether the whole model would have chosen the same token, after the same text with the same cache";
    "nats" "nat" "−ln p of the token, by the exit that chose it or by the whole model";
    "whole_nats" "nat" "−ln p of the token by the whole model, after the same text with the same cache";
};

const ROUNDS: &[Column] = columns! {
    "request" "" "the request, counted from 0 in the workload";
    "step" "" "the pass within the request that verified it, counted from 0";
    "replica" "" "the copy of the model that verified it, counted from 0";
    "end_ps" "ps" "when that pass was over";
    "drafted" "" "tokens that were drafted";
    "accepted" "" "how many of them stand";
    "tokens" "" "tokens that the request has more by it: those that stand, and one of the model's own unless the text ended before";
    "wasted_flops" "FLOP" "floating-point operations of drafting and of verifying tokens that do not stand; a batch's are divided by tokens";
    "wasted_j" "J" "energy of the same, computing and radiating; empty if not all of it is known";
};

const FIRST_ANSWERS: &[Column] = columns! {
    "request" "" "the request, counted from 0 in the workload";
    "replica" "" "the copy of the small model, counted from 0 behind the scenario's replicas";
    "end_ps" "ps" "when it was known whether the answer stands";
    "stands" "" "whether it does; else the request went on";
    "tokens" "" "its tokens, up to the first that fell below the threshold";
    "least_probability" "1" "the least that one of its tokens had, or that of the chosen answer among all";
    "spared_bits" "bit" "bits of the prompt that did not have to go on";
    "energy_j" "J" "energy that the request had taken by then; empty if not all of it is known";
};

const TOKENS: &[Column] = columns! {
    "request" "" "the request, counted from 0 in the workload";
    "step" "" "the pass within the request, counted from 0";
    "mode" "" "score, generate, choose or tokens; draft for a pass of a model that drafts";
    "tokens" "" "tokens that went through the model";
    "context" "" "tokens in the KV cache when the pass began";
    "start_ps" "ps" "when it began";
    "end_ps" "ps" "when its logits were known where tokens are chosen";
    "duration_s" "s" "end − start";
    "compute_s" "s" "time computing, mean over the nodes that share the work";
    "uplink_s" "s" "time sending, mean over the nodes that share the work";
    "downlink_s" "s" "time receiving, mean over the nodes that share the work";
    "wait_s" "s" "what is left of the duration, mean over the nodes that share the work";
    "nats" "nat" "−ln p of the chosen token, or the sum over the scored ones; empty if the pass was timed and not computed";
    "token_id" "" "the chosen token; only of generate";
    "token" "" "its text";
};

const BATCHES: &[Column] = columns! {
    "batch" "" "the forward pass, counted from 0 over the run";
    "replica" "" "the copy of the model that ran it, counted from 0";
    "request" "" "a request that it served, counted from 0 in the workload";
    "step" "" "the pass within that request, counted from 0";
    "phase" "" "what the request did in it: prefill, decode, score or choose; draft in a pass of a model that drafts";
    "context" "" "tokens of the request in the KV cache when the pass began";
    "tokens" "" "tokens of the request that went through the model";
    "start_ps" "ps" "when the pass began";
    "end_ps" "ps" "when its logits were known where tokens are chosen";
};

const LOAD: &[Column] = columns! {
    "replica" "" "the copy of the model, counted from 0";
    "start_ps" "ps" "when the stretch began";
    "end_ps" "ps" "when it ended";
    "waiting" "1" "requests that waited at the replica: time average over the stretch, as the next five";
    "running" "1" "requests in service";
    "batch_requests" "1" "requests in the batches in flight";
    "batch_tokens" "1" "their tokens that went through the model";
    "cache_allocated" "1" "KV cache allocated, in tokens";
    "cache_held" "1" "tokens that it held";
    "cache_total" "" "all the KV cache there is, in tokens; empty if nothing limits it";
    "arrived" "" "requests that arrived in the stretch";
    "completed" "" "requests that were answered";
    "rejected" "" "requests that were turned away";
    "goals_met" "" "requests answered that met every goal; empty without goals";
    "tokens" "" "tokens generated";
};

const NODES: &[Column] = columns! {
    "node" "" "its name";
    "profile" "" "name of its profile";
    "share" "1" "share of the model asked for (m_n); empty where layers are not divided";
    "heads" "" "attention heads held";
    "ffn_columns" "" "feed-forward columns held";
    "weight_bytes" "B" "weights held";
    "kv_cache_bytes" "B" "KV caches of all requests that can run at once, or where there is a pool, all of it";
    "kv_token_bytes" "B" "what one token adds to it";
    "activation_bytes" "B" "activations of the largest pass";
    "memory_bytes" "B" "memory there is";
    "flops" "FLOP" "floating-point operations computed";
    "uplink_bits" "bit" "bits sent";
    "compute_s" "s" "time computing";
    "uplink_s" "s" "time sending";
    "downlink_s" "s" "time receiving";
    "wait_s" "s" "time in which a request was being served and it neither computed nor used a link";
    "no_request_s" "s" "time in which no request was being served";
    "energy_compute_j" "J" "energy of compute; empty if the profile does not say";
    "energy_radio_j" "J" "energy radiated; empty if the transmit power has no watts";
    "energy_idle_j" "J" "idle power over the whole run, busy or not; empty if the profile does not say";
};

const BLOCKS: &[Column] = columns! {
    "request" "" "the request, counted from 0 in the workload";
    "step" "" "the pass within the request, counted from 0";
    "layer" "" "the layer of the model, counted from 0";
    "sublayer" "" "attention or mlp; experts where experts are spread";
    "start_ps" "ps" "when the block's compute could begin, or the gate had spoken";
    "gathered_ps" "ps" "when the barrier opened: the last node was ready";
    "reduced_ps" "ps" "when the sum was known where it is formed";
    "slowest_node" "" "the node that was ready last, of several at one picosecond the first";
    "waiting_s" "s" "Σ over nodes of the time at the barrier";
    "mse" "1" "measured squared error per complex entry after normalisation; empty without radio";
    "noise_mse" "1" "the part of it that is receiver noise or quantisation";
    "analytic_mse" "1" "what equation (7) predicts for independent unit-variance entries; empty where links are digital";
    "quantiser_mse" "1" "what a digital all-reduce's quantiser predicts, Δ²/12 per real entry and node; empty where symbols are analog";
    "nmse" "1" "error power over the power of the exact sum";
    "budget_ratio" "1" "joules per vector, computed and radiated, over the budget P_n, of the node that drew most of its own; empty unless budgets are EnergyPerVector";
    "budget_node" "" "that node";
};

const WAITS: &[Column] = columns! {
    "request" "" "the request, counted from 0 in the workload";
    "step" "" "the pass within the request, counted from 0";
    "layer" "" "the layer of the model, counted from 0";
    "node" "" "the node";
    "tokens" "" "tokens that it received, once for each expert visited (q_k)";
    "bandwidth_hz" "Hz" "its part of the band (B_k)";
    "downlink_s" "s" "time receiving, of all its tokens";
    "compute_s" "s" "time computing, of all its tokens";
    "uplink_s" "s" "time sending, of all its tokens";
    "start_ps" "ps" "when the gate had spoken";
    "end_ps" "ps" "when its last token was back";
    "wait_s" "s" "from then until the barrier of the next attention";
    "holds_barrier" "" "whether the barrier waited for it: it was the last, or came within a millionth of the block's time of the last, an order that picosecond rounding decides";
    "bottleneck" "" "the stage in which its tokens spent most time";
};

const EXPERTS: &[Column] = columns! {
    "request" "" "the request, counted from 0 in the workload";
    "step" "" "the pass within the request, counted from 0";
    "layer" "" "the layer of the model, counted from 0";
    "expert" "" "the expert, counted from 0";
    "node" "" "the node that holds it";
    "wanted" "" "tokens for which it was among the k heaviest within reach";
    "visits" "" "tokens that visited it";
    "lost" "" "tokens for which it was among the k heaviest of all, but its node was cut off";
};

const EXPERT_PAIRS: &[Column] = columns! {
    "texts" "" "the kind of text: a suite of questions, else score, generate or tokens";
    "layer" "" "the layer of the model, counted from 0";
    "tokens" "" "tokens of all passes on such texts";
    "first" "" "one expert of the pair that most of them visited together";
    "second" "" "the other one";
    "together" "" "tokens that visited both";
    "share" "1" "together / tokens";
    "share_if_even" "1" "what that would be if each token visited two experts and all pairs were equally frequent";
};

const ASSIGNMENT: &[Column] = columns! {
    "stage" "" "iterate, asked or rounded";
    "iteration" "" "the iterate, counted from 0; else empty";
    "node" "" "the node";
    "share" "1" "its share of a layer's weights (m_n); rounded, with all that it replicates";
    "heads_share" "1" "share of the heads; empty for iterates";
    "columns_share" "1" "share of the feed-forward columns; empty for iterates";
    "compute_j" "J" "energy of the compute before each all-reduce of a token's vector; empty if a profile does not say";
    "headroom_j" "J" "what that leaves of the node's energy budget; empty where compute and radio do not share one";
    "mse" "1" "error (7) per complex entry: of an iterate on its channel sample, else the mean over samples that no assignment has seen";
    "mse_ci95" "1" "half the 95 % confidence interval of that mean; empty for iterates";
    "compute_s" "s" "compute per layer and token, each sublayer waiting for its slowest node";
};
