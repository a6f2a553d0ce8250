/*
 * Keeps the figures of a page up to date: reads the page again while its tab is visible, and shows what changed.
 *
 * A page with a line “As of” takes part. Replaced are the elements with data-refresh, which exist in both versions, and
 * the rows of a list; forms stay untouched. Nothing is replaced while somebody edits, selects or has something open, and
 * focus, scrolling, open details and entered text stay. What can't be replaced is loaded anew if nobody has used the page.
 */
(() => {
    "use strict";

    const EVERY = 45_000; // milliseconds
    const FAILED = 120_000;
    // A page that takes long to make is read less often.
    const PAUSE_FACTOR = 20;

    const OPEN = ".select2-container--open, dialog[open], [role=dialog], #changelist-filter, #modal-overlay, [x-show=openCommandResults]";
    const EDITED = "input:not([type=checkbox]):not([type=radio]), select, textarea";
    const CHANGED = "This page has changed: reload it to see everything.";

    let isStopped = false;
    let isUsed = false;
    let timer = 0;

    function isVisible(element) {
        return element.checkVisibility ? element.checkVisibility() : element.getClientRects().length > 0;
    }

    /* Return why a refresh would take something away from the person, as a sentence for the page; "" if it wouldn't. */
    function whyPaused() {
        const focused = document.activeElement;
        if (focused?.matches(EDITED) && isVisible(focused)) {
            return "Refresh paused while you type.";
        }
        if (window.campaignsUnsaved?.()) { // unsaved.js
            return "Refresh paused while you have unsaved changes.";
        }
        if (document.querySelector("input.action-select:checked") !== null) {
            return "Refresh paused while rows are selected.";
        }
        if ([...document.querySelectorAll(OPEN)].some(isVisible)) {
            return "Refresh paused while a menu is open.";
        }
        const isClicking = document.querySelector("main :active") !== null; // a click that has begun
        return isClicking || !document.getSelection().isCollapsed ? "Refresh paused while you select." : "";
    }

    /* Return whether a field has another value than the page came with. */
    function isEntered(field) {
        if (["hidden", "submit", "button"].includes(field.type)) {
            return false;
        }
        if (field instanceof HTMLSelectElement) {
            const initial = [...field.options].filter((option) => option.defaultSelected);
            const usual = initial.length || field.multiple ? initial : [...field.options].slice(0, 1);
            return [...field.selectedOptions].some((option) => !usual.includes(option));
        }
        const isBox = ["checkbox", "radio"].includes(field.type);
        return isBox ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
    }

    function hasEntry(container) {
        return [...container.querySelectorAll("input, select, textarea")].some(isEntered);
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

    /* What stays as it is */

    const FOCUSABLE = "a[href], button, summary, input, select, textarea, [tabindex='0']";

    const PARTS = "main :is(section, form, #result_list tr.data-row)";

    /* Return by what an element is known in another version of the page: its target or name, not its figures. */
    function nameOf(element) {
        // The boxes of a list get their labels later, by the names of their rows.
        const isBox = element.matches("input.action-select");
        const known = isBox ? ["name", "value"] : ["href", "name", "value", "id", "aria-label", "aria-labelledby"];
        const name = known.map((each) => element.getAttribute(each) ?? "");
        return [element.tagName, ...name, element.matches("summary, button") ? element.textContent : ""].join("\n");
    }

    /* Return a function that focuses again what has the focus in a container: by name, else what is in its place. */
    function keepFocus(container) {
        const elements = [...container.querySelectorAll(FOCUSABLE)];
        const index = elements.indexOf(document.activeElement);
        if (index < 0) {
            return () => {};
        }
        // Its name now: a checkbox of a list stays where another row is shown.
        const name = nameOf(elements[index]);
        const isSame = (element) => nameOf(element) === name;
        const position = elements.slice(0, index).filter(isSame).length;
        return () => {
            const fresh = [...container.querySelectorAll(FOCUSABLE)];
            const same = fresh.filter(isSame);
            const element = same[position] ?? same.at(-1) ?? fresh[Math.min(index, fresh.length - 1)];
            element?.focus({ preventScroll: true });
        };
    }

    /* Give the new version what the old one has open; return a function that scrolls its tables as they were. */
    function keepView(old, fresh) {
        const opened = new Set([...old.querySelectorAll("details[open]")].map((each) => each.firstElementChild.textContent));
        const closed = new Set([...old.querySelectorAll("details:not([open])")].map((each) => each.firstElementChild.textContent));
        for (const details of fresh.querySelectorAll("details")) {
            const text = details.firstElementChild.textContent;
            details.open = opened.has(text) || (details.open && !closed.has(text));
        }
        const scrolled = [...old.querySelectorAll(".campaigns-table")].map((box) => box.scrollLeft);
        return () => old.querySelectorAll(".campaigns-table").forEach((box, index) => { box.scrollLeft = scrolled[index] ?? 0; });
    }

    /* Return a function that scrolls what is read, the first part in the window, to where it was. */
    function keepPlace() {
        // The smallest ones, such as the rows of a list, not the form around them.
        const parts = () => [...document.querySelectorAll(PARTS)].filter((part) => keyOf(part) && !part.querySelector(PARTS));
        const first = window.scrollY > 0 && parts().find((part) => part.getBoundingClientRect().bottom > 0);
        if (!first) {
            return () => {};
        }
        const [key, top] = [keyOf(first), first.getBoundingClientRect().top];
        return () => {
            const part = parts().find((each) => keyOf(each) === key);
            if (part) {
                window.scrollBy({ top: part.getBoundingClientRect().top - top, behavior: "instant" });
            }
        };
    }

    function keyOf(part) {
        return part.id || part.getAttribute("aria-labelledby") || part.getAttribute("aria-label") || part.querySelector("th a[href]")?.href;
    }

    /* Regions */

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

    // What the server sent last for each region: one that is the same isn't replaced.
    const sent = new Map();

    /* Return whether the region shows the new version. */
    function replaceRegion(old, fresh) {
        const canvases = [...old.querySelectorAll("canvas")];
        const freshCanvases = [...fresh.querySelectorAll("canvas")];
        if (canvases.length !== freshCanvases.length) {
            return false;
        }
        const html = fresh.innerHTML.replace(/name="csrfmiddlewaretoken" value="\w+"/g, "");
        if (hasEntry(old) || sent.get(old.dataset.refresh) === html) {
            return true;
        }
        sent.set(old.dataset.refresh, html);
        const refocus = keepFocus(old);
        const rescroll = keepView(old, fresh);
        canvases.forEach((canvas, index) => keepChart(canvas, freshCanvases[index]));
        old.className = fresh.className;
        old.replaceChildren(...fresh.childNodes);
        rescroll();
        refocus();
        return true;
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
        const freshCells = cellsOf(fresh);
        cellsOf(old).forEach((cell, index) => {
            if (cell.innerHTML !== freshCells[index].innerHTML) {
                cell.replaceChildren(...freshCells[index].childNodes);
            }
        });
    }

    /* Return whether the list shows its new rows. */
    function replaceList(fresh) {
        const [list, freshList] = [document, fresh].map((page) => page.getElementById("result_list"));
        if (!list || !freshList) {
            return !list && !freshList;
        }
        const refocus = keepFocus(list);
        const [rows, freshRows] = [rowsOf(document), rowsOf(fresh)];
        const isSameShape = rows.length === freshRows.length
            && rows.every((row, index) => cellsOf(row).length === cellsOf(freshRows[index]).length);
        if (isSameShape) {
            rows.forEach((row, index) => replaceRow(row, freshRows[index]));
        } else if (!list.querySelector("input.action-select")) {
            list.querySelectorAll(":scope > tbody").forEach((body) => body.remove());
            list.append(...freshList.querySelectorAll(":scope > tbody"));
        }
        refocus();
        return isSameShape || !list.querySelector("input.action-select");
    }

    /* The page */

    /* Return whether the page shows all of the new version. */
    function show(fresh) {
        const scrollBack = keepPlace();
        let isComplete = true;
        for (const region of document.querySelectorAll("[data-refresh]")) {
            const other = fresh.querySelector(`[data-refresh="${CSS.escape(region.dataset.refresh)}"]`);
            isComplete = (!other || replaceRegion(region, other)) && isComplete;
        }
        isComplete = replaceList(fresh) && isComplete;
        const [time, freshTime] = [document, fresh].map((page) => page.querySelector("[data-as-of] time"));
        if (time && freshTime) {
            time.replaceWith(freshTime);
        }
        document.dispatchEvent(new CustomEvent("campaigns:refreshed"));
        scrollBack();
        // The theme's box around a list takes on its new height later.
        requestAnimationFrame(() => requestAnimationFrame(scrollBack));
        return isComplete;
    }

    async function refresh() {
        if (!document.querySelector("[data-as-of]")) {
            return EVERY;
        }
        const paused = document.hidden ? "Refresh paused while this tab is hidden." : whyPaused();
        if (paused) {
            say(paused);
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
            if (!whyPaused()) {
                const isComplete = show(fresh);
                if (!isComplete && !isUsed && !hasEntry(document)) {
                    isStopped = true;
                    window.location.reload();
                    return 0;
                }
                say(isComplete ? "" : CHANGED);
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

    for (const event of ["pointerdown", "keydown"]) {
        document.addEventListener(event, () => { isUsed = true; }, { capture: true });
    }
    document.addEventListener("submit", () => { isStopped = true; });
    document.addEventListener("visibilitychange", () => {
        if (!document.hidden && !isStopped && document.querySelector("[data-refresh-status]")?.textContent.includes("tab is hidden")) {
            wait(0);
        }
    });
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
