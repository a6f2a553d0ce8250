/*
 * The week grid of a campaign's schedule: shows the form's rows, and rewrites them after each edit.
 *
 * The rows are what the form posts. They stay untouched until somebody edits the grid; without this script they are
 * shown as a table. A week without rows is open all the time.
 */

import { clock, DAY, DAYS, fill, inWords, isEmpty, isFull, isSame, minuteOf, plan, WEEK, wholeWeek } from "./week_minutes.js";
import { offerCopies } from "./week_copy.js";
import { Painting } from "./week_painting.js";
import { Rows } from "./week_rows.js";
import { element, Table } from "./week_table.js";

/* Windows as the server writes them. */
function windowsOf(text) {
    return JSON.parse(text).map(([days, start, end]) => ({ days, start: minuteOf(start), end: minuteOf(end) }));
}

function weekOf(rows) {
    return rows.length ? fill(rows) : wholeWeek();
}

class Editor {
    constructor(root) {
        this.root = root;
        this.rows = root.dataset.windows === undefined ? new Rows(root) : null;
        this.table = new Table(root.querySelector("[role=grid]"), { isEditable: this.rows !== null });
        this.painting = new Painting(this.table, this);
        this.undone = [];
        this.isBroken = false;
        this.start();
    }

    start() {
        this.week = this.rows ? this.#entered() : weekOf(this.#shown());
        this.table.build(60);
        this.#listen();
        this.root.querySelector(".campaigns-week").hidden = false;
        const text = this.root.querySelector("details");
        text.open = Boolean(this.rows?.hasErrors());
        this.#refresh();
        this.#showTime();
        setInterval(() => this.#showTime(), 20_000);
    }

    /* Return the windows of a read-only page. */
    #shown() {
        return windowsOf(this.root.dataset.windows);
    }

    #entered() {
        const entered = this.rows.entered();
        this.isBroken = entered.includes(null);
        const windows = entered.filter((row) => row !== null);
        return entered.length ? fill(windows) : wholeWeek();
    }

    #listen() {
        this.#each("[data-zoom]", (button) => button.addEventListener("click", () => this.#zoom(button)));
        if (!this.rows) {
            return;
        }
        this.#each("[data-preset]", (button) => button.addEventListener("click", () => this.#preset(button)));
        this.root.querySelector("[data-always]").addEventListener("click", () => this.#change(wholeWeek(), "Always"));
        this.root.querySelector("[data-clear]").addEventListener("click", () => this.#change(fill([]), "Nothing"));
        this.root.querySelector("[data-undo]").addEventListener("click", () => this.undo());
        this.root.querySelector("[data-reset]").addEventListener("click", () => this.#change(weekOf(this.rows.saved()), "Changes discarded"));
        this.rows.onEdit(() => {
            this.week = this.#entered();
            this.#refresh();
        });
        offerCopies(this.root.querySelector("[data-url]"), this.root.querySelector("[data-copy]"), {
            copy: (name, rows) => this.#change(weekOf(rows), `Copied from ${name}`),
            refuse: (text) => { this.root.querySelector("[data-refused]").textContent = text; },
        });
    }

    #each(selector, callback) {
        this.root.querySelectorAll(selector).forEach(callback);
    }

    /* The interface that Painting uses. */

    isOn(from, to) {
        return this.#minutes(from, to).every((minute) => this.week[minute]);
    }

    choose(anchor, place) {
        this.table.frame(anchor, place);
        if (anchor) {
            this.#announce(`${this.#named(anchor, place)} selected`);
        }
    }

    preview(stroke) {
        this.table.show(stroke && this.rows ? this.#painted(stroke.from, stroke.to, stroke.on) : this.week);
    }

    paint(from, to, on) {
        if (this.rows) {
            this.#change(this.#painted(from, to, on), `${this.#named(from, to)}, ${on ? "on" : "off"}`);
        }
    }

    undo() {
        const week = this.undone.pop();
        if (week && this.rows) {
            this.#apply(week, "Undone");
        }
    }

    #minutes(from, to) {
        const [first, last] = [Math.min(from.column, to.column), Math.max(from.column, to.column) + 1];
        const days = DAYS.map((_, day) => day).filter((day) => day >= Math.min(from.day, to.day) && day <= Math.max(from.day, to.day));
        const { step } = this.table;
        return days.flatMap((day) => Array.from({ length: (last - first) * step }, (_, index) => day * DAY + first * step + index));
    }

    #painted(from, to, on) {
        const week = this.week.slice();
        this.#minutes(from, to).forEach((minute) => { week[minute] = on ? 1 : 0; });
        return week;
    }

    #named(from, to) {
        const { step } = this.table;
        const days = [from.day, to.day].sort((a, b) => a - b);
        const columns = [from.column, to.column].sort((a, b) => a - b);
        const day = days[0] === days[1] ? DAYS[days[0]] : `${DAYS[days[0]]} to ${DAYS[days[1]]}`;
        const until = (columns[1] + 1) * step;
        return columns[0] === columns[1] ? `${day} ${clock(columns[0] * step)}` : `${day} ${clock(columns[0] * step)} to ${until === DAY ? "24:00" : clock(until)}`;
    }

    /* Changes that can be undone. */

    #preset(button) {
        this.#change(fill(windowsOf(button.dataset.preset)), button.textContent);
    }

    #change(week, announcement) {
        if (isSame(week, this.week) && !this.isBroken) {
            this.#announce(announcement);
            return;
        }
        this.undone.push(this.week);
        this.#apply(week, announcement);
    }

    #apply(week, announcement) {
        this.week = week;
        this.rows.write(plan(this.rows.saved(), week));
        this.isBroken = false;
        this.#refresh();
        this.#announce(announcement);
    }

    /* Display. */

    #zoom(button) {
        this.table.build(Number(button.dataset.zoom));
        this.painting.anchor = null;
        this.#each("[data-zoom]", (other) => other.setAttribute("aria-pressed", String(other === button)));
        this.#refresh();
        this.#showTime();
    }

    #refresh() {
        this.table.show(this.week);
        this.#summarize();
        if (this.rows) {
            this.root.querySelector("[data-undo]").disabled = !this.undone.length;
            const isSaved = isSame(this.week, weekOf(this.rows.saved())) && !this.isBroken;
            this.root.querySelector("[data-reset]").disabled = isSaved;
            this.root.querySelector("[data-unsaved]").hidden = isSaved;
        }
    }

    #summarize() {
        const summary = this.root.querySelector("[data-summary]");
        const hours = this.week.reduce((sum, minute) => sum + minute, 0) / 60;
        const windows = this.#windows().map((row) => element("li", {}, [inWords(row)]));
        const summaryText = isFull(this.week) ? ["Runs all week."]
            : isEmpty(this.week) ? [element("strong", {}, ["No hours selected,"]), " so the campaign would run all the time. To stop it, turn it off."]
                : [`${hours.toLocaleString("en", { maximumFractionDigits: 1 })} of 168 hours a week:`, element("ul", {}, windows)];
        summary.replaceChildren(...summaryText, ...(this.isBroken ? [element("strong", {}, [" A row below isn’t complete yet."])] : []));
    }

    #windows() {
        return this.rows ? this.rows.entered().filter((row) => row !== null) : this.#shown();
    }

    #announce(text) {
        this.root.querySelector("[aria-live]").textContent = text;
    }

    /* The server has rendered the brand's local time when it made the page. */
    #showTime() {
        const { now } = this.root.dataset;
        if (now === undefined) {
            return;
        }
        const minute = Math.floor(Number(now) + performance.now() / 60_000) % WEEK;
        this.table.markNow(minute);
        this.root.querySelector("[data-time]").textContent = `${DAYS[Math.floor(minute / DAY)]} ${clock(minute % DAY)}`;
    }
}

document.querySelectorAll("[data-week]").forEach((root) => new Editor(root));
