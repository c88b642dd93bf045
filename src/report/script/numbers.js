// Numbers as people read them: four digits and a unit that fits.
const significant = value => {
  if (value === 0) return "0";
  const magnitude = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(4)))));
  if (magnitude < -4 || magnitude > 6) return value.toExponential(3);
  return value.toFixed(Math.max(0, 3 - magnitude));
};
const scaled = (value, units) => {
  const size = Math.abs(Number(value.toPrecision(4)));
  const [unit, name] = units.find(([unit]) => size >= unit) || units[units.length - 1];
  return `${significant(value / unit)} ${name}`;
};
const TIMES = [[1e12, "s"], [1e9, "ms"], [1e6, "µs"], [1e3, "ns"], [1, "ps"]];
const duration = ps => scaled(ps, TIMES);
// An instant with as many decimals as tell it from others `step` away.
const instant = (ps, step) => {
  if (ps === 0) return "0 s";
  const [unit, name] = TIMES.find(([unit]) => Math.abs(ps) >= unit) || TIMES[4];
  const decimals = Math.min(Math.max(Math.ceil(Math.log10(unit / step) - 1e-9), 0), 12);
  return `${(ps / unit).toFixed(unit === 1 ? 0 : decimals)} ${name}`;
};
const percent = share =>
  share === 0 ? "0 %" : share < 1e-4 ? "< 0.01 %" : `${significant(100 * share)} %`;
const operations = count => scaled(count, [[1e12, "TFLOP"], [1e9, "GFLOP"], [1e6, "MFLOP"], [1e3, "kFLOP"], [1, "FLOP"]]);
const bits = count => scaled(count, [[1e9, "Gbit"], [1e6, "Mbit"], [1e3, "kbit"], [1, "bit"]]);
const joules = value => scaled(value, [[1, "J"], [1e-3, "mJ"], [1e-6, "µJ"], [1e-9, "nJ"]]);
