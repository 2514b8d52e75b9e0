/*eslint-disable block-scoped-var, id-length, no-control-regex, no-magic-numbers, no-mixed-operators, no-prototype-builtins, no-redeclare, no-shadow, no-var, sort-vars, default-case, jsdoc/require-param*/
import $protobuf from "protobufjs/minimal.js";

// Common aliases
const $Reader = $protobuf.Reader, $Writer = $protobuf.Writer, $util = $protobuf.util;
const $Object = $util.global.Object, $undefined = $util.global.undefined, $Error = $util.global.Error, $RangeError = $util.global.RangeError;

// Exported root namespace
const $root = $protobuf.roots["default"] || ($protobuf.roots["default"] = {});

export const turbotls = $root.turbotls = (() => {

    /**
     * Namespace turbotls.
     * @exports turbotls
     * @namespace
     */
    const turbotls = {};

    turbotls.v1 = (function() {

        /**
         * Namespace v1.
         * @memberof turbotls
         * @namespace
         */
        const v1 = {};

        /**
         * Side enum.
         * @name turbotls.v1.Side
         * @enum {number}
         * @property {number} SIDE_UNSPECIFIED=0 SIDE_UNSPECIFIED value
         * @property {number} SIDE_CLIENT=1 SIDE_CLIENT value
         * @property {number} SIDE_SERVER=2 SIDE_SERVER value
         */
        v1.Side = (function() {
            const valuesById = $Object.create(null), values = $Object.create(valuesById);
            values[valuesById[0] = "SIDE_UNSPECIFIED"] = 0;
            values[valuesById[1] = "SIDE_CLIENT"] = 1;
            values[valuesById[2] = "SIDE_SERVER"] = 2;
            return values;
        })();

        v1.Datagram = (function() {

            /**
             * Properties of a Datagram.
             * @typedef {Object} turbotls.v1.Datagram.$Properties
             * @property {Uint8Array|null} [connectionId] Datagram connectionId
             * @property {turbotls.v1.Side|null} [side] Datagram side
             * @property {number|null} [sequence] Datagram sequence
             * @property {number|null} [acknowledged] Datagram acknowledged
             * @property {Uint8Array|null} [payload] Datagram payload
             * @property {Uint8Array|null} [padding] Datagram padding
             * @property {Uint8Array|null} [instance] Datagram instance
             * @property {number|null} [lifetimeMs] Datagram lifetimeMs
             * @property {number|null} [remaining] Datagram remaining
             * @property {Uint8Array|null} [check] Datagram check
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */

            /**
             * Properties of a Datagram.
             * @memberof turbotls.v1
             * @interface IDatagram
             * @augments turbotls.v1.Datagram.$Properties
             * @deprecated Use turbotls.v1.Datagram.$Properties instead.
             */

            /**
             * Shape of a Datagram.
             * @typedef {turbotls.v1.Datagram.$Properties} turbotls.v1.Datagram.$Shape
             */

            /**
             * Constructs a new Datagram.
             * @memberof turbotls.v1
             * @classdesc Represents a Datagram.
             * @constructor
             * @param {turbotls.v1.Datagram.$Properties=} [properties] Properties to set
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */
            const Datagram = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            /**
             * Datagram connectionId.
             * @member {Uint8Array} connectionId
             * @memberof turbotls.v1.Datagram
             * @instance
             */
            Datagram.prototype.connectionId = $util.newBuffer([]);

            /**
             * Datagram side.
             * @member {turbotls.v1.Side} side
             * @memberof turbotls.v1.Datagram
             * @instance
             */
            Datagram.prototype.side = 0;

            /**
             * Datagram sequence.
             * @member {number} sequence
             * @memberof turbotls.v1.Datagram
             * @instance
             */
            Datagram.prototype.sequence = 0;

            /**
             * Datagram acknowledged.
             * @member {number} acknowledged
             * @memberof turbotls.v1.Datagram
             * @instance
             */
            Datagram.prototype.acknowledged = 0;

            /**
             * Datagram payload.
             * @member {Uint8Array} payload
             * @memberof turbotls.v1.Datagram
             * @instance
             */
            Datagram.prototype.payload = $util.newBuffer([]);

            /**
             * Datagram padding.
             * @member {Uint8Array} padding
             * @memberof turbotls.v1.Datagram
             * @instance
             */
            Datagram.prototype.padding = $util.newBuffer([]);

            /**
             * Datagram instance.
             * @member {Uint8Array} instance
             * @memberof turbotls.v1.Datagram
             * @instance
             */
            Datagram.prototype.instance = $util.newBuffer([]);

            /**
             * Datagram lifetimeMs.
             * @member {number} lifetimeMs
             * @memberof turbotls.v1.Datagram
             * @instance
             */
            Datagram.prototype.lifetimeMs = 0;

            /**
             * Datagram remaining.
             * @member {number} remaining
             * @memberof turbotls.v1.Datagram
             * @instance
             */
            Datagram.prototype.remaining = 0;

            /**
             * Datagram check.
             * @member {Uint8Array} check
             * @memberof turbotls.v1.Datagram
             * @instance
             */
            Datagram.prototype.check = $util.newBuffer([]);

            /**
             * Creates a new Datagram instance using the specified properties.
             * @function create
             * @memberof turbotls.v1.Datagram
             * @static
             * @param {turbotls.v1.Datagram.$Properties=} [properties] Properties to set
             * @returns {turbotls.v1.Datagram} Datagram instance
             * @type {{
             *   (properties: turbotls.v1.Datagram.$Shape): turbotls.v1.Datagram & turbotls.v1.Datagram.$Shape;
             *   (properties?: turbotls.v1.Datagram.$Properties): turbotls.v1.Datagram;
             * }}
             */
            Datagram.create = function(properties) {
                return new Datagram(properties);
            };

            /**
             * Encodes the specified Datagram message. Does not implicitly {@link turbotls.v1.Datagram.verify|verify} messages.
             * @function encode
             * @memberof turbotls.v1.Datagram
             * @static
             * @param {turbotls.v1.Datagram.$Properties} message Datagram message or plain object to encode
             * @param {$protobuf.Writer} [writer] Writer to encode to
             * @returns {$protobuf.Writer} Writer
             */
            Datagram.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.connectionId != null && $Object.hasOwnProperty.call(message, "connectionId") && message.connectionId.length)
                    writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.connectionId);
                if (message.side != null && $Object.hasOwnProperty.call(message, "side") && message.side !== 0)
                    writer.uint32(/* id 2, wireType 0 =*/16).int32(message.side);
                if (message.sequence != null && $Object.hasOwnProperty.call(message, "sequence") && message.sequence !== 0)
                    writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.sequence);
                if (message.acknowledged != null && $Object.hasOwnProperty.call(message, "acknowledged") && message.acknowledged !== 0)
                    writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.acknowledged);
                if (message.payload != null && $Object.hasOwnProperty.call(message, "payload") && message.payload.length)
                    writer.uint32(/* id 5, wireType 2 =*/42).bytes(message.payload);
                if (message.padding != null && $Object.hasOwnProperty.call(message, "padding") && message.padding.length)
                    writer.uint32(/* id 6, wireType 2 =*/50).bytes(message.padding);
                if (message.instance != null && $Object.hasOwnProperty.call(message, "instance") && message.instance.length)
                    writer.uint32(/* id 7, wireType 2 =*/58).bytes(message.instance);
                if (message.lifetimeMs != null && $Object.hasOwnProperty.call(message, "lifetimeMs") && message.lifetimeMs !== 0)
                    writer.uint32(/* id 8, wireType 0 =*/64).uint32(message.lifetimeMs);
                if (message.remaining != null && $Object.hasOwnProperty.call(message, "remaining") && message.remaining !== 0)
                    writer.uint32(/* id 9, wireType 0 =*/72).uint32(message.remaining);
                if (message.check != null && $Object.hasOwnProperty.call(message, "check") && message.check.length)
                    writer.uint32(/* id 15, wireType 2 =*/122).bytes(message.check);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            /**
             * Decodes a Datagram message from the specified reader or buffer.
             * @function decode
             * @memberof turbotls.v1.Datagram
             * @static
             * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
             * @param {number} [length] Message length if known beforehand
             * @returns {turbotls.v1.Datagram & turbotls.v1.Datagram.$Shape} Datagram
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            Datagram.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.turbotls.v1.Datagram();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.connectionId = value;
                            else
                                delete message.connectionId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.int32())
                                message.side = value;
                            else
                                delete message.side;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.sequence = value;
                            else
                                delete message.sequence;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.acknowledged = value;
                            else
                                delete message.acknowledged;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.payload = value;
                            else
                                delete message.payload;
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.padding = value;
                            else
                                delete message.padding;
                            continue;
                        }
                    case 7: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.instance = value;
                            else
                                delete message.instance;
                            continue;
                        }
                    case 8: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.lifetimeMs = value;
                            else
                                delete message.lifetimeMs;
                            continue;
                        }
                    case 9: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.remaining = value;
                            else
                                delete message.remaining;
                            continue;
                        }
                    case 15: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.check = value;
                            else
                                delete message.check;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            return Datagram;
        })();

        v1.Tombstone = (function() {

            /**
             * Properties of a Tombstone.
             * @typedef {Object} turbotls.v1.Tombstone.$Properties
             * @property {Uint8Array|null} [secret] Tombstone secret
             * @property {Uint8Array|null} [instance] Tombstone instance
             * @property {number|null} [serverSequence] Tombstone serverSequence
             * @property {number|null} [clientSequence] Tombstone clientSequence
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */

            /**
             * Properties of a Tombstone.
             * @memberof turbotls.v1
             * @interface ITombstone
             * @augments turbotls.v1.Tombstone.$Properties
             * @deprecated Use turbotls.v1.Tombstone.$Properties instead.
             */

            /**
             * Shape of a Tombstone.
             * @typedef {turbotls.v1.Tombstone.$Properties} turbotls.v1.Tombstone.$Shape
             */

            /**
             * Constructs a new Tombstone.
             * @memberof turbotls.v1
             * @classdesc Represents a Tombstone.
             * @constructor
             * @param {turbotls.v1.Tombstone.$Properties=} [properties] Properties to set
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */
            const Tombstone = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            /**
             * Tombstone secret.
             * @member {Uint8Array} secret
             * @memberof turbotls.v1.Tombstone
             * @instance
             */
            Tombstone.prototype.secret = $util.newBuffer([]);

            /**
             * Tombstone instance.
             * @member {Uint8Array} instance
             * @memberof turbotls.v1.Tombstone
             * @instance
             */
            Tombstone.prototype.instance = $util.newBuffer([]);

            /**
             * Tombstone serverSequence.
             * @member {number} serverSequence
             * @memberof turbotls.v1.Tombstone
             * @instance
             */
            Tombstone.prototype.serverSequence = 0;

            /**
             * Tombstone clientSequence.
             * @member {number} clientSequence
             * @memberof turbotls.v1.Tombstone
             * @instance
             */
            Tombstone.prototype.clientSequence = 0;

            /**
             * Creates a new Tombstone instance using the specified properties.
             * @function create
             * @memberof turbotls.v1.Tombstone
             * @static
             * @param {turbotls.v1.Tombstone.$Properties=} [properties] Properties to set
             * @returns {turbotls.v1.Tombstone} Tombstone instance
             * @type {{
             *   (properties: turbotls.v1.Tombstone.$Shape): turbotls.v1.Tombstone & turbotls.v1.Tombstone.$Shape;
             *   (properties?: turbotls.v1.Tombstone.$Properties): turbotls.v1.Tombstone;
             * }}
             */
            Tombstone.create = function(properties) {
                return new Tombstone(properties);
            };

            /**
             * Encodes the specified Tombstone message. Does not implicitly {@link turbotls.v1.Tombstone.verify|verify} messages.
             * @function encode
             * @memberof turbotls.v1.Tombstone
             * @static
             * @param {turbotls.v1.Tombstone.$Properties} message Tombstone message or plain object to encode
             * @param {$protobuf.Writer} [writer] Writer to encode to
             * @returns {$protobuf.Writer} Writer
             */
            Tombstone.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.secret != null && $Object.hasOwnProperty.call(message, "secret") && message.secret.length)
                    writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.secret);
                if (message.instance != null && $Object.hasOwnProperty.call(message, "instance") && message.instance.length)
                    writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.instance);
                if (message.serverSequence != null && $Object.hasOwnProperty.call(message, "serverSequence") && message.serverSequence !== 0)
                    writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.serverSequence);
                if (message.clientSequence != null && $Object.hasOwnProperty.call(message, "clientSequence") && message.clientSequence !== 0)
                    writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.clientSequence);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            /**
             * Decodes a Tombstone message from the specified reader or buffer.
             * @function decode
             * @memberof turbotls.v1.Tombstone
             * @static
             * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
             * @param {number} [length] Message length if known beforehand
             * @returns {turbotls.v1.Tombstone & turbotls.v1.Tombstone.$Shape} Tombstone
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            Tombstone.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.turbotls.v1.Tombstone();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.secret = value;
                            else
                                delete message.secret;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.instance = value;
                            else
                                delete message.instance;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.serverSequence = value;
                            else
                                delete message.serverSequence;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.clientSequence = value;
                            else
                                delete message.clientSequence;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            return Tombstone;
        })();

        v1.Reply = (function() {

            /**
             * Properties of a Reply.
             * @typedef {Object} turbotls.v1.Reply.$Properties
             * @property {turbotls.v1.Reply.Status|null} [status] Reply status
             * @property {string|null} [reason] Reply reason
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */

            /**
             * Properties of a Reply.
             * @memberof turbotls.v1
             * @interface IReply
             * @augments turbotls.v1.Reply.$Properties
             * @deprecated Use turbotls.v1.Reply.$Properties instead.
             */

            /**
             * Shape of a Reply.
             * @typedef {turbotls.v1.Reply.$Properties} turbotls.v1.Reply.$Shape
             */

            /**
             * Constructs a new Reply.
             * @memberof turbotls.v1
             * @classdesc Represents a Reply.
             * @constructor
             * @param {turbotls.v1.Reply.$Properties=} [properties] Properties to set
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */
            const Reply = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            /**
             * Reply status.
             * @member {turbotls.v1.Reply.Status} status
             * @memberof turbotls.v1.Reply
             * @instance
             */
            Reply.prototype.status = 0;

            /**
             * Reply reason.
             * @member {string} reason
             * @memberof turbotls.v1.Reply
             * @instance
             */
            Reply.prototype.reason = "";

            /**
             * Creates a new Reply instance using the specified properties.
             * @function create
             * @memberof turbotls.v1.Reply
             * @static
             * @param {turbotls.v1.Reply.$Properties=} [properties] Properties to set
             * @returns {turbotls.v1.Reply} Reply instance
             * @type {{
             *   (properties: turbotls.v1.Reply.$Shape): turbotls.v1.Reply & turbotls.v1.Reply.$Shape;
             *   (properties?: turbotls.v1.Reply.$Properties): turbotls.v1.Reply;
             * }}
             */
            Reply.create = function(properties) {
                return new Reply(properties);
            };

            /**
             * Encodes the specified Reply message. Does not implicitly {@link turbotls.v1.Reply.verify|verify} messages.
             * @function encode
             * @memberof turbotls.v1.Reply
             * @static
             * @param {turbotls.v1.Reply.$Properties} message Reply message or plain object to encode
             * @param {$protobuf.Writer} [writer] Writer to encode to
             * @returns {$protobuf.Writer} Writer
             */
            Reply.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.status != null && $Object.hasOwnProperty.call(message, "status") && message.status !== 0)
                    writer.uint32(/* id 1, wireType 0 =*/8).int32(message.status);
                if (message.reason != null && $Object.hasOwnProperty.call(message, "reason") && message.reason !== "")
                    writer.uint32(/* id 2, wireType 2 =*/18).string(message.reason);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            /**
             * Decodes a Reply message from the specified reader or buffer.
             * @function decode
             * @memberof turbotls.v1.Reply
             * @static
             * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
             * @param {number} [length] Message length if known beforehand
             * @returns {turbotls.v1.Reply & turbotls.v1.Reply.$Shape} Reply
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            Reply.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.turbotls.v1.Reply();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.int32())
                                message.status = value;
                            else
                                delete message.status;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.reason = value;
                            else
                                delete message.reason;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            /**
             * Status enum.
             * @name turbotls.v1.Reply.Status
             * @enum {number}
             * @property {number} STATUS_UNSPECIFIED=0 STATUS_UNSPECIFIED value
             * @property {number} ACCEPTED=1 ACCEPTED value
             * @property {number} REJECTED=2 REJECTED value
             */
            Reply.Status = (function() {
                const valuesById = $Object.create(null), values = $Object.create(valuesById);
                values[valuesById[0] = "STATUS_UNSPECIFIED"] = 0;
                values[valuesById[1] = "ACCEPTED"] = 1;
                values[valuesById[2] = "REJECTED"] = 2;
                return values;
            })();

            return Reply;
        })();

        /**
         * HandshakeState enum.
         * @name turbotls.v1.HandshakeState
         * @enum {number}
         * @property {number} HANDSHAKE_STATE_UNSPECIFIED=0 HANDSHAKE_STATE_UNSPECIFIED value
         * @property {number} RACING=1 RACING value
         * @property {number} GRACE=2 GRACE value
         * @property {number} CLAIMING=3 CLAIMING value
         * @property {number} BOUND=4 BOUND value
         * @property {number} PLAIN=5 PLAIN value
         * @property {number} CLOSED=6 CLOSED value
         * @property {number} FAILED=7 FAILED value
         */
        v1.HandshakeState = (function() {
            const valuesById = $Object.create(null), values = $Object.create(valuesById);
            values[valuesById[0] = "HANDSHAKE_STATE_UNSPECIFIED"] = 0;
            values[valuesById[1] = "RACING"] = 1;
            values[valuesById[2] = "GRACE"] = 2;
            values[valuesById[3] = "CLAIMING"] = 3;
            values[valuesById[4] = "BOUND"] = 4;
            values[valuesById[5] = "PLAIN"] = 5;
            values[valuesById[6] = "CLOSED"] = 6;
            values[valuesById[7] = "FAILED"] = 7;
            return values;
        })();

        return v1;
    })();

    return turbotls;
})();

export {
  $root as default
};
