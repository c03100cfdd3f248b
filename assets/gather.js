// Dash's store tells every mounted component of every action, and each component that mounts sends one (RESET_COMPONENT_STATE):
// a page of n components would run n × n selectors before it is seen (1,850: ten seconds). Here what React hears of a burst of
// such actions is one notice, as Redux Toolkit's autoBatch does it. State changes at once; only the notice waits: for the end
// of the running task, or, under `gather.together`, of the function given. Dash's own observers are told as ever.
// Loaded before Dash makes its store. If Dash one day names things otherwise, nothing is gathered and all works, slower.
"use strict";
(() => {
  const GATHERED = new Set(["RESET_COMPONENT_STATE"]);
  const waiting = new Set();
  let quiet = 0, planned = false;

  function tell() {
    planned = false;
    const listeners = [...waiting];
    waiting.clear();
    for (const listener of listeners) listener();
  }
  function plan() {
    if (planned) return;
    planned = true;
    queueMicrotask(tell);
  }
  function wrap(store) {
    const dispatch = store.dispatch, subscribe = store.subscribe;
    store.dispatch = (action) => {
      if (!GATHERED.has(action?.type)) return dispatch(action);
      quiet += 1;
      try {
        return dispatch(action);
      } finally {
        quiet -= 1;
        plan();
      }
    };
    store.subscribe = (listener) => {
      const stop = subscribe(() => {
        if (quiet) waiting.add(listener);
        else {
          waiting.delete(listener);
          listener();
        }
      });
      return () => {
        waiting.delete(listener);
        stop();
      };
    };
  }

  const stores = (window.dash_stores = window.dash_stores || []);
  stores.push = (...added) => {
    added.forEach(wrap);
    return Array.prototype.push.apply(stores, added);
  };
  window.gather = {
    // Runs `work`; what it sets is told to the components once, at its end.
    together(work) {
      quiet += 1;
      try {
        return work();
      } finally {
        quiet -= 1;
        if (!quiet) tell();
      }
    },
  };
})();
