/*
 * The week as minutes, and dayparting windows as rows. Pure functions: nothing here knows of a page.
 *
 * A week is a Uint8Array of 7 * 1440 minutes from Monday 00:00 on: 1 where the campaign may run.
 * A row is {days, start, end}: a mask of days, Monday 1 to Sunday 64, and minutes from 00:00. The end is excluded; one
 * that isn't after the start lies on the next day, so 0 is the end of the day and 0 to 0 the whole day.
 */

export const DAY = 1440;
export const WEEK = 7 * DAY;
export const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

export function wholeWeek() {
    return new Uint8Array(WEEK).fill(1);
}

export function isFull(week) {
    return week.every((minute) => minute === 1);
}

export function isEmpty(week) {
    return week.every((minute) => minute === 0);
}

export function isSame(week, other) {
    return week.every((minute, index) => minute === other[index]);
}

/* Return the row's windows as intervals of the week, {from, length}; one that passes Sunday's midnight continues on Monday. */
function stretchesOf({ days, start, end }) {
    const length = end > start ? end - start : DAY - start + end;
    return DAYS.map((_, day) => day)
        .filter((day) => (days >> day) & 1)
        .map((day) => ({ from: day * DAY + start, length }));
}

/* Return the week in which these rows are open. */
export function fill(rows) {
    const week = new Uint8Array(WEEK);
    for (const { from, length } of rows.flatMap(stretchesOf)) {
        for (let minute = from; minute < from + length; minute++) {
            week[minute % WEEK] = 1;
        }
    }
    return week;
}

/* Return the longest open intervals of the week; Sunday night continues on Monday. */
function openStretches(week) {
    const starts = [...week.keys()].filter((minute) => week[minute] && !week[(minute + WEEK - 1) % WEEK]);
    if (!starts.length) {
        return isFull(week) ? [{ from: 0, length: WEEK }] : [];
    }
    return starts.map((from) => {
        let length = 1;
        while (week[(from + length) % WEEK]) {
            length++;
        }
        return { from, length };
    });
}

/* Cut an interval into windows: one overnight window where it passes one midnight and is shorter than a day, else by days. */
function windowsOf({ from, length }) {
    const start = from % DAY;
    const midnights = Math.floor((start + length - 1) / DAY);
    if (midnights === 1 && length < DAY) {
        return [windowAt(from, length)];
    }
    const windows = [];
    for (let rest = length, at = from; rest > 0;) {
        const piece = Math.min(rest, DAY - (at % DAY));
        windows.push(windowAt(at, piece));
        at += piece;
        rest -= piece;
    }
    return windows;
}

function windowAt(from, length) {
    return { days: 1 << (Math.floor(from / DAY) % 7), start: from % DAY, end: (from + length) % DAY };
}

/* Return rows that are open when the week is, with days of the same times in one row. */
export function rowsOf(week) {
    const rows = new Map();
    for (const window of openStretches(week).flatMap(windowsOf)) {
        const times = `${window.start}-${window.end}`;
        const known = rows.get(times);
        rows.set(times, known ? { ...known, days: known.days | window.days } : window);
    }
    return [...rows.values()].sort((a, b) => a.start - b.start || a.end - b.end);
}

/*
 * Return how to make the saved rows say what the week says: {rows, added}. `rows` has an entry for each saved row: the
 * row as it is to be, the very same object where nothing is to change, or null where it is to be deleted.
 *
 * A saved row stays where painting changed nothing in its windows or right beside them. No row at all means always.
 */
export function plan(saved, week) {
    const before = saved.length ? fill(saved) : wholeWeek();
    if (isSame(before, week)) {
        return { rows: [...saved], added: [] };
    }
    if (isFull(week)) {
        return { rows: saved.map(() => null), added: [] };
    }
    const stays = saved.map((row) => stretchesOf(row).every((stretch) => isUntouched(stretch, before, week)));
    const covered = fill(saved.filter((_, index) => stays[index]));
    const missing = rowsOf(week.map((minute, index) => (minute && !covered[index] ? 1 : 0)));
    const rows = saved.map((row, index) => (stays[index] ? row : null));
    const left = missing.filter((row) => !joinOne(row, rows));
    const added = left.filter((row) => !replaceOne(row, rows, saved));
    return { rows, added };
}

/* Return whether two weeks agree on an interval, and on the minutes before and after it. */
function isUntouched({ from, length }, before, week) {
    for (let minute = from - 1; minute <= from + length; minute++) {
        const index = (minute + WEEK) % WEEK;
        if (before[index] !== week[index]) {
            return false;
        }
    }
    return true;
}

/* Add the days of a row to one of the same times that stays. */
function joinOne(row, rows) {
    const index = rows.findIndex((other) => other && other.start === row.start && other.end === row.end);
    if (index >= 0) {
        rows[index] = { ...rows[index], days: rows[index].days | row.days };
    }
    return index >= 0;
}

/* Replace the most similar of the rows that can't stay. */
function replaceOne(row, rows, saved) {
    const likeness = (other) => 2 * (other.start === row.start) + 2 * (other.end === row.end) + (other.days === row.days);
    const free = [...rows.keys()].filter((index) => rows[index] === null);
    free.sort((a, b) => likeness(saved[b]) - likeness(saved[a]));
    if (!free.length) {
        return false;
    }
    const same = saved[free[0]];
    rows[free[0]] = same.days === row.days && same.start === row.start && same.end === row.end ? same : row;
    return true;
}

/* Return a minute of the day as people write it: 09:05. */
export function clock(minute) {
    return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

/* Return the minutes of a time like 9:05 or 09:05:00; null if it isn't one. */
export function minuteOf(text) {
    const found = /^\s*(\d{1,2}):(\d{2})(?::00)?\s*$/.exec(text);
    return found && found[1] < 24 && found[2] < 60 ? 60 * found[1] + Number(found[2]) : null;
}

/* Return a row as text, as the list of campaigns does: "Mon–Fri 09:00–18:00". */
export function inWords({ days, start, end }) {
    const chosen = DAYS.map((_, day) => day).filter((day) => (days >> day) & 1);
    const names = chosen.map((day) => DAYS[day].slice(0, 3));
    const isRun = chosen.length > 2 && chosen.at(-1) - chosen[0] === chosen.length - 1;
    const named = chosen.length === 7 ? "every day" : isRun ? `${names[0]}–${names.at(-1)}` : names.join(", ");
    if (!start && !end) {
        return `${named} all day`;
    }
    return `${named} ${clock(start)}–${clock(end)}${end && end < start ? " of the next day" : ""}`;
}
