/* Updates the page of a spend import while it waits or runs. Without scripts, there is a Reload button. */
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

    function show(progress) {
        const sentence = document.getElementById("upload-sentence");
        if (sentence.textContent !== progress.sentence) {
            sentence.textContent = progress.sentence; // only then a screen reader says it
        }
        document.getElementById("upload-bar").value = progress.percent;
        document.getElementById("upload-sizes").textContent = progress.sizes;
    }

    async function follow() {
        let pause = every;
        try {
            const progress = await ask();
            if (progress.over) {
                window.location.reload();
                return;
            }
            show(progress);
        } catch {
            pause = 10 * every; // the server is away for a moment
        }
        window.setTimeout(follow, pause);
    }

    window.setTimeout(follow, every);
})();
