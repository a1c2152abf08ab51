// Numbers and times for people, in the time zone of the detector.

const LANGUAGE = "en-GB";
const PLAIN = new Intl.NumberFormat(LANGUAGE, { maximumSignificantDigits: 6 });
const TINY = 1e-4, HUGE = 1e15;
const PREFIXES = [[1e12, " T"], [1e9, " G"], [1e6, " M"], [1, ""]];
const MOST_DECIMALS = 9, LONGEST_NAME = 30;

function written(number, unit) {
  if (number === null || number === undefined) return "–";
  return (number !== 0 && Math.abs(number) < TINY ? number.toExponential(3) : PLAIN.format(number)) + (unit ? ` ${unit}` : "");
}

// The values of an axis, with just as many decimals as they need to differ, and all with the same number.
function evenLabels(ticks) {
  const largest = Math.max(...ticks.map(Math.abs));
  if (ticks.length < 2 || largest >= HUGE || largest < TINY) return ticks.map((tick) => written(tick));
  const [factor, suffix] = PREFIXES.find(([least]) => largest >= least) ?? [1, ""];
  const step = (ticks[1] - ticks[0]) / factor;
  let digits = 0;
  while (digits < MOST_DECIMALS && Math.abs(Number(step.toFixed(digits)) - step) > 1e-3 * step) digits++;
  const form = new Intl.NumberFormat(LANGUAGE, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return ticks.map((tick) => form.format(Number((tick / factor).toFixed(digits)) + 0) + suffix);
}

// The name of an axis, short enough for the height of a plot, and its unit.
function namedWithUnit(name, unit) {
  const suffix = unit ? ` (${unit})` : "";
  const most = LONGEST_NAME - suffix.length;
  return (name.length > most ? `${name.slice(0, most - 1)}…` : name) + suffix;
}

// A browser may know fewer zones than Python; every timestamp then says UTC.
function knownZone(zone) {
  try {
    new Intl.DateTimeFormat(LANGUAGE, { timeZone: zone });
    return zone;
  } catch {
    return "UTC";
  }
}

function clockOf(wanted) {
  const zone = knownZone(wanted);
  const suffix = zone === wanted ? "" : ` ${zone}`;
  const form = (fields) => {
    const made = new Intl.DateTimeFormat(LANGUAGE, { timeZone: zone, hourCycle: "h23", ...fields });
    return (seconds) => made.format(seconds * 1000);
  };
  const day = form({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
  const minute = form({ hour: "2-digit", minute: "2-digit" });
  return {
    minute,
    date: form({ day: "numeric", month: "short" }),
    month: form({ month: "short", year: "numeric" }),
    zone,
    timestamp: (seconds) => `${day(seconds)} ${minute(seconds)}${suffix}`,
  };
}

// The labels of a time axis, each as short as its neighbours allow.
function timeLabels(clock, splits, increment) {
  if (increment >= 28 * 86400) return splits.map(clock.month);
  if (increment >= 86400) return splits.map(clock.date);
  return splits.map((time, place) => {
    const day = clock.date(time);
    return place && clock.date(splits[place - 1]) === day ? clock.minute(time) : `${clock.minute(time)}\n${day}`;
  });
}
