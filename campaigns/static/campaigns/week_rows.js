/*
 * The rows of the form: reads and writes the inputs of the formset "windows", which are what is posted.
 *
 * The first rows are saved ones, and each carries hidden what it showed when the page was made. Rows behind them are new.
 */

import { clock, minuteOf } from "./week_minutes.js";

const PREFIX = "windows";

export class Rows {
    constructor(formset) {
        this.formset = formset;
        this.table = formset.querySelector(".formset");
        this.isWriting = false;
    }

    /* Call back when a person changes, adds or removes a row. */
    onEdit(callback) {
        const edited = () => this.isWriting || callback();
        this.formset.addEventListener("input", edited);
        this.formset.addEventListener("change", edited);
        this.formset.addEventListener("formset:added", edited);
        document.addEventListener("formset:removed", edited);
    }

    /* Return the saved rows, as the page showed them first. */
    saved() {
        return this.#indices(0, this.#savedCount).map((index) => ({
            days: this.#named(`initial-${PREFIX}-${index}-days_of_week`).reduce((mask, input) => mask | Number(input.value), 0),
            start: minuteOf(this.#input(index, "start_time", "initial-").value) ?? 0,
            end: minuteOf(this.#input(index, "end_time", "initial-").value) ?? 0,
        }));
    }

    /* Return the rows as entered, without those to be deleted; null for an invalid one. */
    entered() {
        return this.#indices(0, this.#count)
            .filter((index) => !this.#input(index, "DELETE")?.checked)
            .map((index) => this.#entered(index));
    }

    /* Write what plan() returned. */
    write({ rows, added }) {
        this.isWriting = true;
        rows.forEach((row, index) => {
            this.#input(index, "DELETE").checked = row === null;
            this.#set(index, row ?? this.saved()[index]);
        });
        this.#makeRoomFor(added.length);
        added.forEach((row, index) => this.#set(this.#savedCount + index, row));
        this.isWriting = false;
    }

    hasErrors() {
        return this.formset.querySelector(".errors, .row-form-errors, [role=alert], .text-red-600.text-xs") !== null;
    }

    get #savedCount() {
        return Number(this.#named(`${PREFIX}-INITIAL_FORMS`)[0].value);
    }

    get #count() {
        return Number(this.#named(`${PREFIX}-TOTAL_FORMS`)[0].value);
    }

    #indices(from, until) {
        return Array.from({ length: Math.max(0, until - from) }, (_, index) => from + index);
    }

    #named(name) {
        return [...this.formset.querySelectorAll(`[name="${name}"]`)];
    }

    #input(index, field, before = "") {
        return this.#named(`${before}${PREFIX}-${index}-${field}`)[0];
    }

    #entered(index) {
        const boxes = this.#named(`${PREFIX}-${index}-days_of_week`);
        const days = boxes.reduce((mask, box) => (box.checked ? mask | Number(box.value) : mask), 0);
        const start = minuteOf(this.#input(index, "start_time").value);
        const end = minuteOf(this.#input(index, "end_time").value);
        const isWindow = days && start !== null && end !== null && (start !== end || start === 0);
        return isWindow ? { days, start, end } : null;
    }

    #set(index, { days, start, end }) {
        for (const box of this.#named(`${PREFIX}-${index}-days_of_week`)) {
            box.checked = Boolean(days & Number(box.value));
            box.toggleAttribute("checked", box.checked);
        }
        for (const [field, minute] of [["start_time", start], ["end_time", end]]) {
            const input = this.#input(index, field);
            input.value = clock(minute);
            // Removing a row above it, unfold makes a row anew from its markup.
            input.setAttribute("value", input.value);
        }
    }

    /* Add new rows with unfold's own button until there are so many. */
    #makeRoomFor(count) {
        while (this.#count - this.#savedCount > count) {
            const groups = this.table.querySelectorAll(":scope > .form-group:not(.empty-form)");
            groups[groups.length - 1].remove();
            this.#named(`${PREFIX}-TOTAL_FORMS`)[0].value = this.#count - 1;
        }
        while (this.#count - this.#savedCount < count) {
            this.formset.querySelector(".add-row").click();
        }
    }
}
