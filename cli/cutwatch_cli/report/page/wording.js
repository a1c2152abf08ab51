// Numbers and times for people, in the time zone of the detector.

const LANGUAGE = "en-GB";
const PLAIN = new Intl.NumberFormat(LANGUAGE, { maximumSignificantDigits: 6 });
const SHORT = new Intl.NumberFormat(LANGUAGE, { maximumSignificantDigits: 4, notation: "compact" });
const TINY = 1e-4, LONG = 1e6;

function written(number) {
  if (number === null || number === undefined) return "–";
  return number !== 0 && Math.abs(number) < TINY ? number.toExponential(3) : PLAIN.format(number);
}

function writtenShort(number) {
  return Math.abs(number) >= LONG ? SHORT.format(number) : written(number);
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
