/* Copying the schedule of another campaign: the server is asked for those whose names have what was typed. */

import { minuteOf } from "./week_minutes.js";
import { element } from "./week_table.js";

const PAUSE_MILLISECONDS = 200;

/* Let a person choose a campaign by typing; call copy(name, rows) with its windows, tell(text) with what went wrong. */
export function offerCopies(input, button, { copy, tell }) {
    const list = document.getElementById(input.getAttribute("list"));
    let found = new Map();
    let timer = null;
    let asked = 0;

    async function search() {
        const number = ++asked;
        const response = await fetch(`${input.dataset.url}&q=${encodeURIComponent(input.value)}`, { headers: { Accept: "application/json" } });
        if (!response.ok || number !== asked) {
            return;
        }
        const { campaigns } = await response.json();
        found = new Map(campaigns.map((campaign) => [campaign.name, campaign.windows]));
        list.replaceChildren(...campaigns.map(({ name, words }) => element("option", { value: name, label: `${name}: ${words}` })));
    }

    async function take() {
        clearTimeout(timer);
        if (!found.has(input.value)) {
            await search();
        }
        // A part of a name is enough where only one campaign has it.
        const name = found.has(input.value) ? input.value : found.size === 1 ? [...found.keys()][0] : null;
        if (!input.value.trim() || name === null) {
            tell(found.size ? "Choose one of the campaigns of that name." : "There is no other campaign of that name.");
            return;
        }
        input.value = name;
        copy(name, found.get(name).map(([days, start, end]) => ({ days, start: minuteOf(start), end: minuteOf(end) })));
    }

    input.addEventListener("focus", search, { once: true });
    input.addEventListener("input", () => {
        clearTimeout(timer);
        timer = setTimeout(search, PAUSE_MILLISECONDS);
    });
    input.addEventListener("keydown", (event) => {
        if (event.key === "Enter") {
            event.preventDefault();
            take();
        }
    });
    button.addEventListener("click", take);
}
