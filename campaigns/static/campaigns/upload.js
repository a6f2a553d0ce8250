/* Keeps the page of a spend import up to date while it waits or runs. Without this, its Reload button does. */
(() => {
    "use strict";

    const page = document.getElementById("upload");
    const every = 1000; // milliseconds

    async function ask() {
        const answer = await fetch(page.dataset.progress, { headers: { Accept: "application/json" } });
        if (!answer.ok) {
            throw new Error(`answered ${answer.status}`);
        }
        return answer.json();
    }

    function show(told) {
        const sentence = document.getElementById("upload-sentence");
        if (sentence.textContent !== told.sentence) {
            sentence.textContent = told.sentence; // only then a screen reader says it
        }
        document.getElementById("upload-bar").value = told.percent;
        document.getElementById("upload-sizes").textContent = told.sizes;
    }

    async function follow() {
        let pause = every;
        try {
            const told = await ask();
            if (told.over) {
                window.location.reload();
                return;
            }
            show(told);
        } catch {
            pause = 10 * every; // the server is away for a moment
        }
        window.setTimeout(follow, pause);
    }

    window.setTimeout(follow, every);
})();
