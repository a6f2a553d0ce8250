/*
 * Painting on the grid with mouse, finger and keyboard. Each gesture ends in one call of paint(from, to, on), places of the
 * grid; while it lasts, preview() is called.
 *
 * With a finger: a tap switches a cell, a swipe scrolls the page, and to hold and then drag paints.
 */

const HOLD_MILLISECONDS = 250;
const SLIPS = 10;

export class Painting {
    constructor(table, editor) {
        this.table = table;
        this.editor = editor;
        this.stroke = null;
        const { grid } = table;
        grid.addEventListener("pointerdown", (event) => this.#down(event));
        grid.addEventListener("click", (event) => this.#header(event));
        grid.addEventListener("keydown", (event) => this.#key(event));
        grid.addEventListener("contextmenu", (event) => this.stroke?.isTouch && event.preventDefault());
        // Not passive: while a finger paints, the page must not scroll.
        grid.addEventListener("touchmove", (event) => this.stroke?.isPainting && event.preventDefault(), { passive: false });
        document.addEventListener("pointermove", (event) => this.#move(event));
        document.addEventListener("pointerup", (event) => this.#up(event));
        document.addEventListener("pointercancel", () => this.#end());
    }

    #down(event) {
        const place = this.table.placeOf(event.target);
        if (!place || event.button !== 0) {
            return;
        }
        const isTouch = event.pointerType === "touch";
        const on = !this.editor.isOn(place, place);
        this.stroke = { from: place, to: place, on, isTouch, isPainting: !isTouch, x: event.clientX, y: event.clientY, pointer: event.pointerId };
        this.anchor = null;
        if (isTouch) {
            this.stroke.timer = setTimeout(() => this.#startPainting(), HOLD_MILLISECONDS);
        } else {
            event.preventDefault();
            this.table.focus(place);
            this.#preview();
        }
    }

    #startPainting() {
        this.stroke.isPainting = true;
        this.#preview();
    }

    #move(event) {
        const { stroke } = this;
        if (!stroke || event.pointerId !== stroke.pointer) {
            return;
        }
        if (!stroke.isPainting) {
            if (Math.hypot(event.clientX - stroke.x, event.clientY - stroke.y) > SLIPS) {
                this.#end();
            }
            return;
        }
        const place = this.table.placeOf(document.elementFromPoint(event.clientX, event.clientY));
        if (place && (place.day !== stroke.to.day || place.column !== stroke.to.column)) {
            stroke.to = place;
            this.#preview();
        }
    }

    #up(event) {
        const { stroke } = this;
        if (stroke && event.pointerId === stroke.pointer) {
            this.#end();
            this.editor.paint(stroke.from, stroke.to, stroke.on);
        }
    }

    #end() {
        clearTimeout(this.stroke?.timer);
        this.stroke = null;
        this.editor.preview(null);
    }

    #preview() {
        const { from, to, on } = this.stroke;
        this.editor.preview({ from, to, on });
    }

    /* The name of a day or an hour switches all of its cells. */
    #header(event) {
        const header = event.target.closest("[role=rowheader], [role=columnheader][data-column]");
        if (!header) {
            return;
        }
        const last = this.table.columns - 1;
        const { day, column } = header.dataset;
        const [from, to] = day === undefined
            ? [{ day: 0, column: Number(column) }, { day: 6, column: Number(column) }]
            : [{ day: Number(day), column: 0 }, { day: Number(day), column: last }];
        this.#toggle(from, to);
    }

    #toggle(from, to) {
        this.editor.paint(from, to, !this.editor.isOn(from, to));
    }

    #key(event) {
        const place = this.table.placeOf(event.target);
        if (!place || event.altKey) {
            return;
        }
        const isCommand = event.ctrlKey || event.metaKey;
        if (isCommand && event.key.toLowerCase() === "z") {
            event.preventDefault();
            this.editor.undo();
        } else if (event.key === " " || event.key === "Enter") {
            event.preventDefault();
            this.#toggle(this.anchor ?? place, place);
        } else if (event.key === "Escape" && this.anchor) {
            this.#choose(null, place);
        } else {
            const next = this.#next(event.key, place, isCommand);
            if (next) {
                event.preventDefault();
                this.#choose(event.shiftKey ? this.anchor ?? place : null, next);
                this.table.focus(next);
            }
        }
    }

    #choose(anchor, place) {
        this.anchor = anchor;
        this.editor.choose(anchor, place);
    }

    /* Return where a key leads, or null. Where the days are columns, on a phone, arrows follow what is seen. */
    #next(key, { day, column }, isCommand) {
        const isUpright = getComputedStyle(this.table.grid).gridAutoFlow.startsWith("column");
        const [back, on, up, down] = isUpright ? ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"] : ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
        const last = this.table.columns - 1;
        const places = {
            [back]: { day, column: column - 1 },
            [on]: { day, column: column + 1 },
            [up]: { day: day - 1, column },
            [down]: { day: day + 1, column },
            Home: { day: isCommand ? 0 : day, column: 0 },
            End: { day: isCommand ? 6 : day, column: last },
        };
        const next = places[key];
        const within = (value, most) => Math.min(Math.max(value, 0), most);
        return next ? { day: within(next.day, 6), column: within(next.column, last) } : null;
    }
}
