/* The grid on the page: seven days by columns of 60, 30 or 15 minutes. Shows a week, independent of rows and of editing. */

import { clock, DAY, DAYS } from "./week_minutes.js";

export class Table {
    constructor(grid, { isEditable }) {
        this.grid = grid;
        this.isEditable = isEditable;
        this.grid.setAttribute("aria-multiselectable", "true");
        this.grid.setAttribute("aria-readonly", String(!isEditable));
        this.focused = { day: 0, column: 0 };
    }

    /* Build the cells, each of so many minutes. */
    build(step) {
        this.step = step;
        this.columns = DAY / step;
        this.focused = { day: this.focused.day, column: 0 };
        this.grid.style.setProperty("--campaigns-week-columns", this.columns);
        this.grid.dataset.step = step;
        this.cells = DAYS.map((_, day) => Array.from({ length: this.columns }, (_, column) => this.#cell(day, column)));
        const rows = this.cells.map((cells, day) => element("div", { role: "row" }, [this.#dayHeader(day), ...cells]));
        this.grid.replaceChildren(this.#header(), ...rows);
        this.#cellAt(this.focused).tabIndex = 0;
    }

    #header() {
        const corner = element("div", { role: "columnheader", class: "campaigns-week-corner" }, [element("span", { class: "campaigns-unseen" }, ["Day"])]);
        const headers = Array.from({ length: this.columns }, (_, column) => {
            const at = clock(column * this.step);
            const isHour = (column * this.step) % 60 === 0;
            const shown = element("span", { "aria-hidden": "true" }, [isHour ? at.slice(0, 2) : ""]);
            return element("div", { role: "columnheader", "data-column": column, title: at }, [shown, element("span", { class: "campaigns-unseen" }, [at])]);
        });
        return element("div", { role: "row" }, [corner, ...headers]);
    }

    #dayHeader(day) {
        const shown = element("span", { "aria-hidden": "true" }, [DAYS[day].slice(0, 3)]);
        return element("div", { role: "rowheader", "data-day": day }, [shown, element("span", { class: "campaigns-unseen" }, [DAYS[day]])]);
    }

    #cell(day, column) {
        return element("div", { role: "gridcell", tabindex: -1, "data-day": day, "data-column": column });
    }

    #cellAt({ day, column }) {
        return this.cells[day][column];
    }

    /* Return the day and column of the cell that an element is in, or null. */
    placeOf(node) {
        const cell = node?.closest?.("[role=gridcell]");
        return cell && this.grid.contains(cell) ? { day: Number(cell.dataset.day), column: Number(cell.dataset.column) } : null;
    }

    /* Return the first minute of a cell in the week. */
    minuteOf({ day, column }) {
        return day * DAY + column * this.step;
    }

    focus(place) {
        this.#cellAt(this.focused).tabIndex = -1;
        this.focused = place;
        this.#cellAt(place).tabIndex = 0;
        this.#cellAt(place).focus();
    }

    /* Show which minutes are on. */
    show(week) {
        for (const [day, cells] of this.cells.entries()) {
            for (const [column, cell] of cells.entries()) {
                const from = this.minuteOf({ day, column });
                this.#showCell(cell, week.subarray(from, from + this.step), `${DAYS[day]} ${clock(column * this.step)}`, column * this.step);
            }
        }
    }

    #showCell(cell, minutes, name, from) {
        const on = minutes.reduce((sum, minute) => sum + minute, 0);
        const state = on === 0 ? "off" : on === minutes.length ? "on" : "partly";
        if (cell.dataset.state === state && state !== "partly") {
            return;
        }
        cell.dataset.state = state;
        cell.setAttribute("aria-selected", String(state === "on"));
        const parts = state === "partly" ? partsOf(minutes) : [];
        cell.style.backgroundImage = parts.length ? gradient(parts, minutes.length) : "";
        const spans = parts.map(([start, end]) => `${clock(from + start)} to ${from + end === DAY ? "24:00" : clock(from + end)}`);
        cell.setAttribute("aria-label", `${name}, ${state === "partly" ? `partly on, ${spans.join(" and ")}` : state}`);
    }

    /* Frame the cells between two corners; none where there is only one cell. */
    frame(anchor, place) {
        const isRange = anchor && (anchor.day !== place.day || anchor.column !== place.column);
        this.eachCell((cell, at) => cell.classList.toggle("is-chosen", Boolean(isRange) && isBetween(at, anchor, place)));
    }

    eachCell(callback) {
        this.cells.forEach((cells, day) => cells.forEach((cell, column) => callback(cell, { day, column })));
    }

    /* Mark the current minute of the week. */
    markNow(minute) {
        this.eachCell((cell, place) => {
            const passed = minute - this.minuteOf(place);
            const isNow = passed >= 0 && passed < this.step;
            cell.classList.toggle("is-now", isNow);
            cell.style.setProperty("--campaigns-week-now", isNow ? `${(100 * passed) / this.step}%` : "");
        });
        const today = Math.floor(minute / DAY);
        this.grid.querySelectorAll("[role=rowheader]").forEach((header, day) => header.classList.toggle("is-today", day === today));
    }
}

export function isBetween({ day, column }, one, other) {
    const within = (value, a, b) => value >= Math.min(a, b) && value <= Math.max(a, b);
    return within(day, one.day, other.day) && within(column, one.column, other.column);
}

/* Return the intervals that are on, [start, end] each. */
function partsOf(minutes) {
    const parts = [];
    for (const [minute, on] of minutes.entries()) {
        if (on && parts.at(-1)?.[1] === minute) {
            parts.at(-1)[1] = minute + 1;
        } else if (on) {
            parts.push([minute, minute + 1]);
        }
    }
    return parts;
}

function gradient(parts, length) {
    const percent = (minute) => `${(100 * minute) / length}%`;
    const stops = parts.flatMap(([start, end]) => [
        `transparent ${percent(start)}`, `var(--campaigns-week-on) ${percent(start)}`, `var(--campaigns-week-on) ${percent(end)}`, `transparent ${percent(end)}`,
    ]);
    return `linear-gradient(var(--campaigns-week-direction), ${stops.join(", ")})`;
}

export function element(name, attributes = {}, children = []) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
        made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
}
