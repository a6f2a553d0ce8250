/*
 * Keeps the figures of a page up to date: reads the page again while its tab is visible, and shows what changed.
 *
 * A page with a line “As of” takes part. Replaced are the elements with data-refresh, which exist in both versions, and
 * the rows of a list; forms stay untouched. Nothing is replaced while somebody edits, selects or has something open.
 */
(() => {
    "use strict";

    const EVERY = 45_000; // milliseconds
    const FAILED = 120_000;
    // A page that takes long to make is read less often.
    const PAUSE_FACTOR = 20;

    const OPEN = ".select2-container--open, dialog[open], [role=dialog], #changelist-filter, #modal-overlay, [x-show=openCommandResults]";
    const EDITED = "input:not([type=checkbox]):not([type=radio]), select, textarea";

    let isStopped = false;
    let timer = 0;

    function isVisible(element) {
        return element.checkVisibility ? element.checkVisibility() : element.getClientRects().length > 0;
    }

    /* Return whether a refresh would take something away from the person. */
    function isBusy() {
        const focused = document.activeElement;
        return window.campaignsUnsaved?.() // unsaved.js
            || Boolean(focused?.matches(EDITED) && isVisible(focused))
            || document.querySelector("input.action-select:checked") !== null
            || [...document.querySelectorAll(OPEN)].some(isVisible)
            || !document.getSelection().isCollapsed;
    }

    /* Return the page as it is now; null if the person may not see it any more. */
    async function read() {
        const answer = await fetch(window.location.href, { redirect: "manual", headers: { Accept: "text/html", "X-Refresh": "1" } });
        if (answer.type === "opaqueredirect" || [401, 403, 404].includes(answer.status)) {
            return null;
        }
        if (!answer.ok) {
            throw new Error(`answered ${answer.status}`);
        }
        return new DOMParser().parseFromString(await answer.text(), "text/html");
    }

    function say(text) {
        const status = document.querySelector("[data-refresh-status]");
        if (status.textContent !== text) {
            status.textContent = text; // only then a screen reader says it
        }
    }

    /* Regions */

    const FOCUSABLE = "a[href], button, summary, input, select, textarea, [tabindex='0']";

    /* Return a function that gives the focus to the element of the same place and text, if a region has it. */
    function keepFocus(region) {
        const index = [...region.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
        const text = document.activeElement?.textContent;
        return () => {
            const element = index >= 0 && region.querySelectorAll(FOCUSABLE)[index];
            if (element && element.textContent === text) {
                element.focus({ preventScroll: true });
            }
        };
    }

    /* Give the new version what the old one has open or scrolled. */
    function keepView(old, fresh) {
        const details = fresh.querySelectorAll("details");
        old.querySelectorAll("details").forEach((element, index) => details[index]?.toggleAttribute("open", element.open));
        const scrolled = [...old.querySelectorAll(".campaigns-table")].map((box) => box.scrollLeft);
        return () => old.querySelectorAll(".campaigns-table").forEach((box, index) => { box.scrollLeft = scrolled[index] ?? 0; });
    }

    function colour(value) {
        const name = typeof value === "string" && value.match(/^var\((.*?)\)/)?.[1];
        return name ? getComputedStyle(document.documentElement).getPropertyValue(name).trim() : value;
    }

    /* Put a chart's canvas into the new version, with the new figures: a chart can't be moved to another canvas. */
    function keepChart(canvas, fresh) {
        for (const { name, value } of fresh.attributes) {
            if (name.startsWith("data-") || name === "aria-label") {
                canvas.setAttribute(name, value);
            }
        }
        fresh.replaceWith(canvas);
        const chart = window.Chart?.getChart(canvas);
        if (!chart || !canvas.dataset.value) {
            return; // campaign_day.js draws its own
        }
        chart.data = JSON.parse(canvas.dataset.value);
        for (const dataset of chart.data.datasets) {
            for (const property of ["borderColor", "backgroundColor"]) {
                const value = dataset[property];
                dataset[property] = Array.isArray(value) ? value.map(colour) : colour(value);
            }
        }
        chart.update("none");
    }

    function replaceRegion(old, fresh) {
        const canvases = [...old.querySelectorAll("canvas")];
        const freshCanvases = [...fresh.querySelectorAll("canvas")];
        if (canvases.length !== freshCanvases.length) {
            window.location.reload();
            return;
        }
        const refocus = keepFocus(old);
        const rescroll = keepView(old, fresh);
        canvases.forEach((canvas, index) => keepChart(canvas, freshCanvases[index]));
        old.className = fresh.className;
        old.replaceChildren(...fresh.childNodes);
        rescroll();
        refocus();
    }

    /* Lists */

    function rowsOf(page) {
        return [...page.querySelectorAll("#result_list tr.data-row")];
    }

    /* Return the cells of a row without the checkbox: the scripts of actions know the checkboxes. */
    function cellsOf(row) {
        return [...row.children].filter((cell) => !cell.querySelector("input.action-select"));
    }

    function replaceRow(old, fresh) {
        const [checkbox, freshCheckbox] = [old, fresh].map((row) => row.querySelector("input.action-select"));
        if (checkbox && freshCheckbox) {
            checkbox.value = freshCheckbox.value;
            checkbox.setAttribute("aria-label", freshCheckbox.getAttribute("aria-label") ?? "");
        }
        const refocus = keepFocus(old);
        const freshCells = cellsOf(fresh);
        cellsOf(old).forEach((cell, index) => {
            if (cell.innerHTML !== freshCells[index].innerHTML) {
                cell.replaceChildren(...freshCells[index].childNodes);
            }
        });
        refocus();
    }

    function replaceList(fresh) {
        const [rows, freshRows] = [rowsOf(document), rowsOf(fresh)];
        const isSameShape = rows.length === freshRows.length
            && rows.every((row, index) => cellsOf(row).length === cellsOf(freshRows[index]).length);
        if (!isSameShape) {
            window.location.reload();
            return;
        }
        rows.forEach((row, index) => replaceRow(row, freshRows[index]));
    }

    /* The page */

    function show(fresh) {
        for (const region of document.querySelectorAll("[data-refresh]")) {
            const other = fresh.querySelector(`[data-refresh="${CSS.escape(region.dataset.refresh)}"]`);
            if (other) {
                replaceRegion(region, other);
            }
        }
        replaceList(fresh);
        const [time, freshTime] = [document, fresh].map((page) => page.querySelector("[data-as-of] time"));
        if (time && freshTime) {
            time.replaceWith(freshTime);
        }
        document.dispatchEvent(new CustomEvent("campaigns:refreshed"));
    }

    async function refresh() {
        if (document.hidden || !document.querySelector("[data-as-of]") || isBusy()) {
            return EVERY;
        }
        const started = performance.now();
        try {
            const fresh = await read();
            if (isStopped) {
                return 0;
            }
            if (!fresh?.querySelector("[data-as-of]")) {
                isStopped = true;
                say("This page no longer updates: sign in again, or reload it.");
                return 0;
            }
            if (!isBusy()) {
                show(fresh);
                say("");
            }
            return Math.max(EVERY, PAUSE_FACTOR * (performance.now() - started));
        } catch {
            say("Not updated since: the server can’t be reached.");
            return FAILED;
        }
    }

    async function run() {
        const pause = await refresh();
        if (!isStopped) {
            wait(pause);
        }
    }

    function wait(pause) {
        window.clearTimeout(timer);
        timer = window.setTimeout(run, pause);
    }

    document.addEventListener("submit", () => { isStopped = true; });
    // A page that comes back from the browser's cache was stopped when it was left.
    window.addEventListener("pageshow", (event) => {
        if (event.persisted && isStopped) {
            isStopped = false;
            wait(EVERY);
        }
    });
    window.addEventListener("load", () => {
        if (document.querySelector("[data-as-of]")) {
            wait(EVERY);
        }
    });
})();
