(function () {
  "use strict";
  var root = document.documentElement;
  root.classList.add("js");
  var choice = document.getElementById("round-choice");
  if (choice) {
    var previous = document.getElementById("round-previous");
    var next = document.getElementById("round-next");
    var show = function () {
      document.querySelectorAll(".round").forEach(function (round) {
        round.classList.toggle("on", round.id === choice.value);
      });
      previous.disabled = choice.selectedIndex <= 0;
      next.disabled = choice.selectedIndex >= choice.options.length - 1;
    };
    var step = function (by) {
      choice.selectedIndex = Math.max(0, Math.min(choice.options.length - 1, choice.selectedIndex + by));
      show();
    };
    var follow = function () {
      var id = location.hash.slice(1);
      for (var i = 0; i < choice.options.length; i += 1) {
        if (choice.options[i].value === id) {
          choice.selectedIndex = i;
          show();
          document.getElementById("rounds").scrollIntoView();
        }
      }
    };
    document.getElementById("chooser").hidden = false;
    choice.addEventListener("change", show);
    previous.addEventListener("click", function () { step(-1); });
    next.addEventListener("click", function () { step(1); });
    window.addEventListener("hashchange", follow);
    show();
    follow();
  }
  var opened = [];
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details:not([open]):not(.long)").forEach(function (details) {
      details.open = true;
      opened.push(details);
    });
  });
  window.addEventListener("afterprint", function () {
    opened.forEach(function (details) { details.open = false; });
    opened = [];
  });
})();
