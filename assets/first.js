// One notification of Dash's store for all that happens in one turn of the page.
//
// Every component that Dash mounts reports itself to its store, and every report asks all components: with the 1,800 of a
// wall that is seconds. Here the store's listeners hear of a turn's reports once, as redux-batched-subscribe does. The name
// sorts before Dash's own scripts are begun; where a later Dash keeps its stores elsewhere, nothing is changed but the speed.
"use strict";
(() => {
  const stores = window.dash_stores = window.dash_stores || [];
  stores.push = function (store) {
    const subscribe = store.subscribe;
    store.subscribe = (listener) => {
      let waiting = false;
      return subscribe(() => {
        if (waiting) return;
        waiting = true;
        queueMicrotask(() => {
          waiting = false;
          listener();
        });
      });
    };
    return Array.prototype.push.call(this, store);
  };
})();
