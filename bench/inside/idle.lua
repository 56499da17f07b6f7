local receive = require("fsd.actor").receive

return function() receive() end
